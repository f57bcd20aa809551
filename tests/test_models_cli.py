"""Models through the command line: options, factor files, further series, study files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import DONORS, FACTORS, Market
from run_folders import QUICK

from eventstudy.cli.main import main
from eventstudy.models import MODELS

FIXED = (
    "--force",
    "--calendar",
    "data",
    "--estimation",
    "-120:-11",
    "--event-window",
    "-5:5",
    "--car",
    "0:1",
    "--test",
    "bmp",
    *QUICK,
)


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(a) for a in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def study() -> Market:
    return Market(n=6, seed=61)


@pytest.fixture
def folder(tmp_path: Path, study: Market) -> Path:
    """Write prices, a list of events with the columns of models, and factors in Ken French's
    layout."""
    wide = study.wide
    (tmp_path / "prices").mkdir()
    for name in (*study.tickers, "MKT", "WORLD", "IND", *DONORS):
        close = 100 * (1 + wide[name]).cumprod()
        close.rename("close").rename_axis("date").to_csv(tmp_path / "prices" / f"{name}.csv")
    table = study.table[["event_id", "ticker", "announced_at", "benchmark"]]
    table = table.assign(industry="IND", match="D0;D1", donors="D0;D1;D2;D3;F01;GONE")
    table.to_csv(tmp_path / "events.csv", index=False)
    rows = (100 * wide[list(FACTORS)]).itertuples()
    lines = [f"{d:%Y%m%d}," + ",".join(f"{v:12.8f}" for v in row) for d, *row in rows]
    head = "Daily factors.\n\n,Mkt-RF,SMB,HML,RMW,CMA,Mom   ,RF\n"
    (tmp_path / "F-F.CSV").write_text(head + "\n".join(lines) + "\n\nCopyright\n")
    return tmp_path


def run(folder: Path, *args: object) -> tuple[dict[str, object], Path]:
    code, out, err = invoke(
        "run",
        folder / "events.csv",
        "--prices",
        folder / "prices",
        "--out",
        folder / "r",
        *FIXED,
        *args,
        "--json",
    )
    assert code == 0, err
    return json.loads(out), folder / "r" / "events"


def cars(run_folder: Path) -> np.ndarray:
    table = pd.read_csv(run_folder / "tables" / "car.csv")
    return table["car"].to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("ff3", ["--factors", "F-F.CSV"]),
        pytest.param("carhart", ["--factors", "F-F.CSV"], marks=pytest.mark.slow),
        pytest.param(
            "factors",
            ["--factors", "F-F.CSV", "--model-option", "columns=smb,hml"],
            marks=pytest.mark.slow,
        ),
        ("industry", []),
        ("two_index", ["--series", "world=WORLD"]),
        ("dimson", ["--model-option", "lags=2", "--model-option", "leads=0"]),
        pytest.param("trade_to_trade", [], marks=pytest.mark.slow),
        ("market", ["--cov", "HC3"]),
    ],
)
def test_run_equals_the_library(
    folder: Path, study: Market, model: str, options: list[str]
) -> None:
    from eventstudy.models import MODELS

    paths = [str(folder / o) if o == "F-F.CSV" else o for o in options]
    found, written = run(folder, "--model", model, *paths)
    assert found["setup"]["n_used"] == 6
    named = [o for o in options if "=" in o and not o.startswith("world")]
    cov = "HC3" if "HC3" in options else "nonrobust"
    fit = study.fit(model=MODELS.make(model, named, cov_type=cov), series={"world": "WORLD"})  # type: ignore[arg-type]
    np.testing.assert_allclose(cars(written), fit.car([(0, 1)])["car"], atol=1e-9)
    (over,) = (w for w in found["samples"][-1]["windows"] if w["window"] == [0, 1])
    (bmp,) = (t for t in over["tests"] if t["test"] == "bmp")
    np.testing.assert_allclose(bmp["statistic"], fit.test("bmp", (0, 1)).statistic, rtol=1e-6)


def test_matched_portfolio(folder: Path, study: Market) -> None:
    """AR = return less the mean return of the two in the column match."""
    _, written = run(folder, "--model", "matched")
    wide = study.wide
    at = wide.index.get_indexer(study.table["day0"])
    expected = [
        (wide[f"F{i:02d}"] - (wide["D0"] + wide["D1"]) / 2).iloc[t : t + 2].sum()
        for i, t in enumerate(at)
    ]
    np.testing.assert_allclose(cars(written), expected, atol=1e-9)


@pytest.mark.slow
def test_a_series_for_all_events_goes_before_the_column(folder: Path) -> None:
    """As `--benchmark` does; the column of another index changes nothing."""
    events = pd.read_csv(folder / "events.csv")
    _, plain = run(folder, "--model", "two_index", "--series", "world=WORLD")
    expected = cars(plain)
    events.assign(world="D3").to_csv(folder / "events.csv", index=False)
    _, own = run(folder, "--model", "two_index")
    assert not np.allclose(cars(own), expected)
    _, named = run(folder, "--model", "two_index", "--series", "world=WORLD")
    np.testing.assert_array_equal(cars(named), expected)


@pytest.mark.parametrize(
    ("column", "options", "said"),
    [
        pytest.param(
            "benchmark",
            [],
            "members of the benchmark left out because they have no prices: TYPO",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "peers",
            ["--benchmark", "peers"],
            "members of the benchmark left out because they have no prices: TYPO",
            marks=pytest.mark.slow,
        ),
        (
            "match",
            ["--model", "matched"],
            "members of match left out because they have no prices: TYPO",
        ),
    ],
)
def test_members_of_portfolios_without_prices_are_named(
    folder: Path, column: str, options: list[str], said: str
) -> None:
    events = pd.read_csv(folder / "events.csv")
    events.assign(**{column: "D0;TYPO;D1"}).to_csv(folder / "events.csv", index=False)
    code, out, err = invoke(
        "run", folder / "events.csv", "--prices", folder / "prices", "--out", folder / "r", *FIXED,
        *options
    )  # fmt: skip
    assert code == 0, err
    assert said in " ".join((out + err).split())
    page = (folder / "r" / "events" / "report.html").read_text(encoding="utf-8")
    assert said[0].upper() + said[1:] in page


def test_donors_with_news_of_their_own_are_left_out_and_named(folder: Path, study: Market) -> None:
    found, written = run(folder, "--model", "synthetic_control", "--test", "placebo_in_space")
    assert found["setup"]["n_used"] == 6
    page = (written / "report.html").read_text(encoding="utf-8")
    own = "a session of an event window of their own is in the windows of the event: F01 (5 of 6"
    assert f"onors left out where {own}" in page
    assert "Donors left out because they have no prices: GONE" in page
    study.table["donors"] = "D0;D1;D2;D3"
    fit = study.fit(model="synthetic_control")
    del study.table["donors"]
    np.testing.assert_allclose(cars(written), fit.car([(0, 1)])["car"], atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "options"),
    [
        (
            'model = "dimson"\nmodel_options = ["lags=2", "leads=0"]\n',
            ["--model", "dimson", "--model-option", "lags=2", "--model-option", "leads=0"],
        ),
        pytest.param(
            'model = "ff3"\nfactors = "F-F.CSV"\n',
            ["--model", "ff3", "--factors", "F-F.CSV"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_study_file(lines: str, options: list[str], folder: Path) -> None:
    (folder / "study.toml").write_text(
        'events = "events.csv"\nprices = "prices"\nout = "r"\ncalendar = "data"\n'
        'estimation = "-120:-11"\nevent = "-5:5"\nwindows = ["0:1"]\ntests = ["bmp"]\n'
        f"event_pages = 0\ncalibrate = 0\n{lines}",
        encoding="utf-8",
    )
    code, _, err = invoke("run", "--config", folder / "study.toml", "--name", "toml")
    assert code == 0, err
    _, written = run(folder, *(str(folder / o) if o == "F-F.CSV" else o for o in options))
    np.testing.assert_array_equal(cars(folder / "r" / "toml"), cars(written))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "dimson", "--model-option", "lag=2"], "did you mean 'lags'?"),
        (
            ["--model", "dimson", "--model-option", "lags=x"],
            "dimson: lags: not a value of the kind int, got 'x'",
        ),
        (["--model", "carhardt"], "did you mean 'carhart'?"),
        (["--model", "ff3"], "give a file of factors with --factors FILE"),
        (["--model", "ff3", "--factors", "none.csv"], "no such file, got 'none.csv'"),
        (["--model", "two_index"], "--series world=TICKER"),
        (["--series", "world"], "write NAME=TICKER"),
        (["--series", "market=WORLD"], "its index is --benchmark"),
        (
            ["--series", "world=WORLD"],
            "series: the model market uses no such series, got 'world=WORLD'",
        ),
        (["--cov", "HC3", "--engine", "batch"], "needs the engine statsmodels"),
        (["--model", "theil_sen", "--cov", "HC3"], "least squares"),
    ],
)
def test_wrong_use_is_told_with_code_2(folder: Path, options: list[str], said: str) -> None:
    code, out, err = invoke(
        "run", folder / "events.csv", "--prices", folder / "prices", *FIXED, *options
    )
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("eventstudy: ")


def test_a_factor_that_is_not_there_costs_no_download(folder: Path) -> None:
    lines = (folder / "F-F.CSV").read_text().replace("SMB", "XYZ")
    (folder / "F-F.CSV").write_text(lines)
    code, _, err = invoke(
        "run", folder / "events.csv", "--prices", folder / "missing", "--model", "ff3", "--factors",
        folder / "F-F.CSV",
    )  # fmt: skip
    assert code == 2
    assert "add smb with another --factors FILE" in err


def test_list_of_models_has_formula_source_and_options() -> None:
    code, out, _ = invoke("list", "models")
    assert code == 0
    for model in MODELS.values():
        assert model.formula in out
        assert model.source in out
    assert "options: lags=1, leads=1" in out
    assert "own_market" not in out
    assert max(map(len, out.splitlines())) <= 110
