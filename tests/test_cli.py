"""The command line as its users meet it: real processes, exit codes, streams, and no traceback
ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT, Market
from run_folders import QUICK
from yahoo_standin import Yahoo, synthetic

from eventstudy.cli.main import main
from eventstudy.files.csv_text import read_numbers
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.words import ascii_text

SMALL = """event_id,ticker,announced_at,company
apple,AAPL,2020-08-06,Apple
nvidia,NVDA,2022-08-31T16:30-04:00,Nvidia
amd,AMD,2019-05-15,AMD
hikvision,002415.SZ,2019-05-22,Hikvision
"""


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(SMALL, encoding="utf-8")
    return path


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(a) for a in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def process(
    *args: object, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eventstudy", *map(str, args)]
    full = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=full,
        cwd=cwd,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_run_offline(events: Path, tmp_path: Path) -> None:
    code, out, err = invoke("run", events, "--prices", "sample", "--out", tmp_path / "r")
    assert code == 0, err
    manifest = json.loads((tmp_path / "r" / "events" / "manifest.json").read_text(encoding="utf-8"))
    assert " ".join(out.split())[:80] == ascii_text(manifest["answers"][0]["headline"])[:80]
    assert "Used 3 of 4. Dropped: 1 no price data (" in out
    assert str(tmp_path / "r" / "events" / "report.html") in out
    assert out.isascii()
    status = pd.read_csv(tmp_path / "r" / "events" / "events.csv").set_index("event_id")["status"]
    assert status.to_dict() == {"apple": "ok", "nvidia": "ok", "amd": "ok", "hikvision": "dropped"}


@pytest.mark.slow
def test_json_is_one_document_and_equals_the_tables(events: Path, tmp_path: Path) -> None:
    code, out, _ = invoke(
        "run", events, "--prices", "sample", "--out", tmp_path / "r", "--json", "--by", "company"
    )
    assert code == 0
    document = json.loads(out)
    setup, *groups, pooled = document["setup"], *document["samples"]
    assert (setup["n_events"], setup["n_used"]) == (4, 3)
    tables = tmp_path / "r" / "events" / "tables"
    tests = read_numbers(tables / "tests.csv")
    values = {(r.test, r.start, r.stop): (r.statistic, r.pvalue) for r in tests.itertuples()}
    columns = {
        (test["test"], *window["window"]): (test["statistic"], test["pvalue"])
        for window in pooled["windows"]
        for test in window["tests"]
    }
    assert values.keys() <= columns.keys()
    for key, pair in values.items():
        np.testing.assert_array_equal(np.array(columns[key], dtype=float), pair)
    assert {e["cells"]["event_id"]: e["day0"] for e in document["events"]}["nvidia"] == "2022-09-01"
    assert {sample["group"] for sample in groups} == {"Apple", "Nvidia", "AMD"}
    choosing = pd.read_csv(tables / "choosing.csv").set_index("test")["trust"]
    diagnosis = pooled["diagnosis"]
    assert diagnosis["kind"] == "dispersed"
    assert {v["test"]: v["trust"] for v in diagnosis["opinions"]} == choosing.to_dict()
    assert diagnosis["main_test"] == choosing.index[0] == document["answer"]["pooled"]["test"]


@pytest.mark.slow
def test_quiet_says_nothing(events: Path, tmp_path: Path) -> None:
    code, out, err = invoke(
        "run", events, "--prices", "sample", "--out", tmp_path / "r", "--quiet", *QUICK
    )
    assert (code, out, err) == (0, "", "")


def test_options_reach_the_numbers(events: Path, tmp_path: Path) -> None:
    code, out, _ = invoke(
        "run", events, "--prices", "sample", "--out", tmp_path, "--name", "x", "--model",
        "constant_mean",
        "--estimation", "-150:-21", "--event-window", "-3:3", "--car", "0:2", "--car", "-1:1", "--test",
        "bmp",
        "--engine", "batch", "--json", *QUICK,
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    sample = found["samples"][0]
    assert (sample["shown"][0], sample["shown"][-1]) == ("patell_kp_regime", "bmp")
    assert [window["window"] for window in sample["windows"]] == [[0, 2], [-1, 1]]
    tests = pd.read_csv(tmp_path / "x" / "tables" / "tests.csv")
    keys = list(zip(tests["test"], tests["start"], tests["stop"], strict=True))
    assert keys == [(name, *w) for w in ((0, 2), (-1, 1)) for name in sample["shown"]]
    models = pd.read_csv(tmp_path / "x" / "tables" / "models.csv")
    assert list(models) == ["event_id", "ticker", "nobs", "alpha", "sigma", "r2"]
    assert set(models["nobs"]) == {130}
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["engine"] == "batch"


def test_study_file_and_options_over_it(events: Path, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(
        'events = "events.csv"\nout = "runs"\nname = "mine"\nprices = "sample"\nmodel = '
        '"market_adjusted"\n'
        'windows = ["0:1", "-2:2"]\nmax_loss = 0.5\ncalibrate = 0\nevent_pages = 0\n',
        encoding="utf-8",
    )
    code, out, err = invoke(
        "run", "--config", tmp_path / "study.toml", "--model", "market", "--json"
    )
    assert code == 0, err
    settings = json.loads(out)["setup"]["settings"]
    assert settings["model"] == "market"
    assert settings["windows"] == ["0:1", "-2:2"]
    assert (tmp_path / "runs" / "mine" / "report.html").is_file()


@pytest.mark.slow
def test_strict_and_max_loss_write_and_exit_with_3(events: Path, tmp_path: Path) -> None:
    common = ["run", events, "--prices", "sample", "--out", tmp_path / "r", *QUICK]
    for extra in (["--strict"], ["--max-loss", "0.2"]):
        code, _, err = invoke(*common, *extra)
        assert code == 3
        assert "25% of the events have no result for [0,1]" in err
        assert (tmp_path / "r" / "events" / "report.html").is_file()
    assert invoke(*common, "--max-loss", "0.25")[0] == 0


@pytest.mark.slow
def test_nothing_usable_keeps_the_old_run(events: Path, tmp_path: Path) -> None:
    assert invoke("run", events, "--prices", "sample", "--out", tmp_path / "r", *QUICK)[0] == 0
    before = (tmp_path / "r" / "events" / "manifest.json").read_bytes()
    events.write_text("ticker,announced_at\n002415.SZ,2019-05-22\n", encoding="utf-8")
    code, out, err = invoke("run", events, "--prices", "sample", "--out", tmp_path / "r")
    assert (code, out) == (1, "")
    assert "not in the bundled sample" in err
    assert (tmp_path / "r" / "events" / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["run", "none.csv"], 1, "none.csv"),
        (["run", "EVENTS", "--model", "markt"], 2, "did you mean 'market'"),
        (["run", "EVENTS", "--test", "bmpp"], 2, "did you mean 'bmp'"),
        (["run", "EVENTS", "--event-window", "5"], 2, "START:STOP"),
        (
            ["run", "EVENTS", "--event-window", "5:-5"],
            2,
            "--event-window: a window ends before it starts",
        ),
        (["run", "EVENTS", "--car", "3:-3"], 2, "--windows: a window ends before it starts"),
        (
            ["run", "EVENTS", "--calibrate", "30"],
            2,
            "one as extreme would put p above 5%",
        ),
        (["run", "EVENTS", "--drop-confounded", "--prices", "sample"], 2, "no other news"),
        (["run", "EVENTS", "--size", "none.csv"], 2, "size: no such file, got 'none.csv'"),
        (["run", "EVENTS", "--factors", "none.csv", "--model", "ff3"], 2, "factors: no such file"),
        (["run", "."], 2, ".: is a folder, not a file of events"),
        (["run", "EVENTS", "--car", "-31:30"], 2, "the estimation window must end before"),
        (["run", "EVENTS", "--prices", "yaho"], 2, "did you mean 'yahoo'"),
        (["run", "EVENTS", "--name", "../x"], 2, "not a name"),
        (["run", "EVENTS", "--by", "compny", "--prices", "sample"], 2, "did you mean 'company'"),
        (["run", "EVENTS", "--returns", "none.csv"], 2, "returns: no such file"),
        (["run", "EVENTS", "--config", "none.toml"], 2, "cannot read"),
        (["run", "EVENTS", "--max-loss", "7"], 2, "max-loss"),
        (["run", "EVENTS", "--returns", "r.csv", "--prices", "sample"], 2, "not both"),
        (["run", "EVENTS", "--max-loss", "nan"], 2, "--max-loss"),
        (["run", "EVENTS", "--name", "-x"], 2, "not a name"),
        (["run", "EVENTS", "--name", ""], 2, "--name: not a name for a study, got ''"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_wrong_usage_is_one_clear_message(
    args: list[str], code: int, message: str, events: Path, tmp_path: Path
) -> None:
    args = [{"EVENTS": str(events), "OUT": str(tmp_path / "r")}.get(a, a) for a in args]
    got, out, err = invoke(*args)
    assert (got, out) == (code, "")
    assert message in err
    assert not (tmp_path / "r" / "events").exists()


@pytest.mark.parametrize(
    "line",
    [
        "windows = 5", 'windows = ["0:1", 3]', "tests = 5", 'out = ["a"]', 'max_loss = "a"',
        "max_loss = 5",
        'strict = "no"', "name = 5", "events = 5",
    ],
)  # fmt: skip
def test_settings_of_the_wrong_type(line: str, events: Path, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(line + "\n", encoding="utf-8")
    extra = [] if line.startswith("events") else [events]
    code, out, err = invoke(
        "run", *extra, "--config", tmp_path / "study.toml", "--prices", "sample"
    )
    assert (code, out) == (2, "")
    assert line.split(" = ")[0] in err


@pytest.mark.slow
def test_a_test_named_twice_and_windows_before_the_event(events: Path, tmp_path: Path) -> None:
    common = ["run", events, "--prices", "sample", "--out", tmp_path / "r", *QUICK]
    assert invoke(*common, "--test", "bmp", "--test", "bmp", "--car", "0:1", "--car", "0:1")[0] == 0
    code, out, err = invoke(*common, "--event-window", "-10:-2")
    assert code == 0, err
    assert "[-10, -2]" in out


@pytest.mark.slow
def test_a_missing_main_window_is_a_loss(events: Path, tmp_path: Path) -> None:
    events.write_text("ticker,announced_at\nNVDA,2022-12-28\nNVDA,2022-08-31\n", encoding="utf-8")
    common = ["run", events, "--prices", "sample", "--out", tmp_path / "r", *QUICK]
    assert invoke(*common)[0] == 0
    code, _, err = invoke(*common, "--strict")
    assert code == 3
    assert "50% of the events have no result" in err


@pytest.mark.skipif(os.name == "nt", reason="a shell's way to close streams")
@pytest.mark.parametrize(
    "closed",
    [
        pytest.param(">&-", marks=pytest.mark.slow),
        pytest.param("2>&-", marks=pytest.mark.watch),
        pytest.param(">&- 2>&-", marks=pytest.mark.watch),
    ],
)
def test_closed_streams(closed: str, events: Path, tmp_path: Path) -> None:
    import shlex

    command = shlex.join(
        [
            sys.executable,
            "-m",
            "eventstudy",
            "run",
            str(events),
            "--prices",
            "sample",
            "--out",
            str(tmp_path / "r"),
            *QUICK,
        ]
    )
    done = subprocess.run(
        f"{command} {closed}",
        shell=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "r" / "events" / "report.html").is_file()


def test_check_names_the_faults_of_settings_beside_those_of_every_event(
    tmp_path: Path,
) -> None:
    (tmp_path / "e.csv").write_text("ticker,announced_at\nAMD,7 October\n")
    events, size = (tmp_path / name for name in ("e.csv", "none.csv"))
    study = tmp_path / "study.toml"
    study.write_text(f"events = '{events}'\nsize = '{size}'\n")
    code, _, err = invoke("check", study)
    assert code == 2
    assert "study.toml:2: size: no such file" in err
    assert "e.csv:2: announced_at" in err


def test_check(events: Path) -> None:
    code, out, err = invoke("check", events)
    assert code == 0
    assert "2022-09-01  NVDA" in out
    assert "4 events are good, 0 problems" in err
    found = json.loads(invoke("check", events, "--json")[1])
    assert found["problems"] == []
    assert found["events"][3] == {
        "event_id": "hikvision", "ticker": "002415.SZ", "announced_at": "2019-05-22",
        "when": "", "exchange": "XSHE", "day0": "2019-05-22",
        "day0_candidates": ["2019-05-22", "2019-05-23"], "flags": ["time_unknown"],
    }  # fmt: skip


def test_check_reports_all_problems(events: Path) -> None:
    events.write_text(
        "ticker,announced_at\nAAPL,05/06/2019\nSBER.QQ,2019-05-22\nMSFT,2019-05-22\n",
        encoding="utf-8",
    )
    code, out, err = invoke("check", events)
    assert code == 1
    assert f"{events}:2: announced_at" in err
    assert f"{events}:3: ticker" in err
    assert "MSFT" in out
    found = json.loads(invoke("check", events, "--json")[1])
    assert [(p["line"], p["column"]) for p in found["problems"]] == [
        (2, "announced_at"),
        (3, "ticker"),
    ]
    assert invoke("run", events)[0] == 1


def test_lists_come_from_the_registries() -> None:
    for what, registry in (("models", MODELS), ("tests", STATISTICS)):
        code, out, _ = invoke("list", what)
        assert code == 0
        assert all(name in out for name in registry)
    assert "yahoo" in invoke("list", "prices")[1]


@pytest.mark.slow
def test_returns_that_the_user_holds(tmp_path: Path) -> None:
    market = Market(n=6, effect=-0.02)
    market.frame.rename_axis("date").to_csv(tmp_path / "returns.csv")
    market.table[["event_id", "ticker", "announced_at"]].to_csv(
        tmp_path / "events.csv", index=False
    )
    long = (
        market.frame.rename_axis("date")
        .reset_index()
        .melt("date", var_name="ticker", value_name="ret")
    )
    long.to_csv(tmp_path / "long.csv", index=False)
    cars = []
    for file in ("returns.csv", "long.csv"):
        code, _, err = invoke(
            "run", tmp_path / "events.csv", "--returns", tmp_path / file, "--calendar", "data",
            "--benchmark", "MKT", "--estimation", "-120:-11", "--event-window", "-5:5",
            "--out", tmp_path / file[:4], *QUICK,
        )  # fmt: skip
        assert code == 0, err
        cars.append(read_numbers(tmp_path / file[:4] / "events" / "tables" / "car.csv"))
    pd.testing.assert_frame_equal(*cars)
    ours = market.fit().car([(0, 0)])["car"]
    theirs = cars[0].query("start == 0 and stop == 0")["car"]
    np.testing.assert_allclose(theirs, ours, rtol=1e-12)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--model-option", "lags=2"), ("--factors", "none.csv"), ("--by", "no_column")],
)
def test_errors_name_an_option_as_it_is_typed(
    events: Path, tmp_path: Path, option: str, value: str
) -> None:
    code, _, err = invoke("run", events, "--prices", "sample", "--out", tmp_path, option, value)
    assert code == 2
    assert err.startswith(f"eventstudy: {option}: ")


@pytest.mark.parametrize(
    ("command", "arguments", "remedy"),
    [
        ("run", ["--format", "pdf"], "eventstudy report RUN -f FORMAT"),
        ("run", ["--start", "2020-01-01"], "--estimation="),
        ("run", ["--alpha", "0.01"], "95%"),
        ("run", ["--test", "ttest"], "did you mean 'cross_sectional'?"),
        ("run", ["-e", "250"], "-250:-31"),
        ("calibrate", ["--out", "x"], "-j"),
        ("proof", ["--out", "x"], "--to"),
        ("refresh", ["--notify", "me"], "--on-change"),
        ("run", ["again.csv"], "one at a time"),
    ],
)
def test_words_of_other_tools_get_ours(
    events: Path, command: str, arguments: list[str], remedy: str
) -> None:
    code, _, err = invoke(command, events, *arguments)
    assert code == 2
    assert remedy in err


def test_no_command_is_told_of_options_that_it_has_not(events: Path) -> None:
    for command, option in (("run", "--notify"), ("check", "--start"), ("proof", "--log")):
        _, _, err = invoke(command, events, option, "x")
        assert f"No such option '{option}'; see" in err


def test_a_pdf_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "list.pdf"
    path.write_bytes(b"%PDF-1.4\n%\xe2\xe3\n")
    code, out, err = invoke("check", path)
    assert code == 1
    assert "the file is a PDF" in out + err


def test_a_command_without_a_file_in_an_empty_folder_asks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("run", "refresh", "robustness"):
        code, _, err = invoke(command)
        assert code == 2
        assert "there is no study.toml or events.csv in this folder" in err


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom eventstudy.cli.main import main\n"
        "try: main(['run', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'statsmodels', 'matplotlib', 'yfinance'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_run_over_the_wire(events: Path, tmp_path: Path) -> None:
    """The whole command against a stand-in for Yahoo; the second run answers from the store."""
    symbols = ("AAPL", "NVDA", "AMD", "^GSPC", "002415.SZ", "000300.SS")
    series = [synthetic(s, start=date(2017, 1, 2), end=date(2023, 3, 31)) for s in symbols]
    with Yahoo(*series) as yahoo:
        env = {**yahoo.env(), "EVENTSTUDY_STORE": str(tmp_path / "store.sqlite")}
        first = process("run", events, "--out", tmp_path / "a", "--json", *QUICK, env=env)
        assert first.returncode == 0, first.stderr
        asked = len(yahoo.log)
        second = process("run", events, "--out", tmp_path / "b", "--json", *QUICK, env=env)
        assert second.returncode == 0, second.stderr
        assert len(yahoo.log) == asked, "prices that are in the store are not asked for again"
    found = json.loads(first.stdout)
    assert found["setup"]["n_used"] == 4
    assert not any(note["is_notice"] for note in found["notes"])
    assert found["samples"] == json.loads(second.stdout)["samples"]


@pytest.mark.slow
def test_no_network_falls_back_on_the_sample_and_says_so(events: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    env = {
        "HTTPS_PROXY": nowhere,
        "https_proxy": nowhere,
        "EVENTSTUDY_STORE": str(tmp_path / "s.sqlite"),
    }
    done = process("run", events, "--out", tmp_path / "r", *QUICK, env=env)
    assert done.returncode == 0, done.stderr
    assert "NOTE:" in done.stderr
    assert "sample" in done.stderr
    report = (tmp_path / "r" / "events" / "report.html").read_text(encoding="utf-8")
    assert "bundled sample" in report
    alone = tmp_path / "alone.csv"
    alone.write_text("ticker,announced_at\n002415.SZ,2019-05-22\n", encoding="utf-8")
    none = process("run", alone, "--out", tmp_path / "r", env=env)
    assert none.returncode == 75
    assert "Traceback" not in none.stderr
    # The index is in the sample: the panel is not empty, and still nobody knows of the firm.
    alone.write_text("ticker,announced_at\nZZZTOP,2020-08-06\n", encoding="utf-8")
    for command in ("run", "refresh"):
        one = process(command, alone, "--out", tmp_path / "r", env=env)
        assert (one.returncode, one.stdout) == (75, "")
        assert "ZZZTOP" in one.stderr
        assert "try again later" in one.stderr
        assert command == "refresh" or "the one event could not be used\n" in one.stderr
    index = (tmp_path / "r" / "alone" / "report.html").read_text(encoding="utf-8")
    assert "the one announcement could not be used" in index
    asked = process("run", alone, "--out", tmp_path / "r", "--offline", env=env)
    assert asked.returncode == 1, "no source was to be asked: later is no better"
    assert "try again" not in asked.stderr


@pytest.mark.slow
def test_latin_console_and_foreign_locale(events: Path, tmp_path: Path) -> None:
    events.write_text(SMALL.replace("Apple", "苹果").replace("apple", "ap-苹果"), encoding="utf-8")
    env = {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C", "TZ": "Asia/Shanghai"}
    done = process("check", events, env=env)
    assert done.returncode == 0, done.stderr
    assert "ap-??" in done.stdout
    done = process("run", events, "--prices", "sample", "--out", tmp_path / "r", *QUICK, env=env)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_json_loses_no_letter_whatever_the_console(encoding: str, events: Path) -> None:
    """Logs in JSON neither."""
    name, log = "Zoë-华为-1", ["--log-format", "json"]
    events.write_text(SMALL.replace("apple", name, 1), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "eventstudy", "check", str(events), "--json"]
    done = subprocess.run(command, capture_output=True, env=env, timeout=300, check=True)
    assert json.loads(done.stdout.decode(encoding))["events"][0]["event_id"] == name
    gone = [*command[:-2], str(events.with_name(name)), *log]
    done = subprocess.run(gone, capture_output=True, env=env, timeout=300, check=False)
    entries = [json.loads(line) for line in done.stderr.decode(encoding).splitlines()]
    assert name in next(entry["text"] for entry in entries if entry["event"] == "failed")


@pytest.mark.slow
def test_json_where_no_event_could_be_used(tmp_path: Path) -> None:
    """The document of the run that says so, unless a good one stays in its place."""
    path, run = tmp_path / "e.csv", tmp_path / "r" / "e"

    def study(ticker: str) -> tuple[int, str]:
        path.write_text(f"event_id,ticker,announced_at\nx,{ticker},2020-06-15\n")
        return invoke("run", path, "--offline", "--out", tmp_path / "r", "--json", *QUICK)[:2]

    code, out = study("NOSUCH")
    held = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert (code, json.loads(out)) == (
        1,
        {"report": str(run / "report.html"), "run": str(run)} | held,
    )
    assert study("AAPL")[0] == 0
    assert study("NOSUCH") == (1, "")


@pytest.mark.slow
def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = process("run", tmp_path / "none.csv", "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
