"""Runs by machines: logs, no home, read-only folders, a user without a name, and the files to
copy."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import shlex
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from configparser import RawConfigParser
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT
from run_folders import QUICK

from eventstudy.cli.main import main
from eventstudy.prices.patience import REST

pytestmark = pytest.mark.skipif(os.name == "nt", reason="ways of other systems")
FILES = ROOT / "docs" / "operations"
EVENTS = "event_id,ticker,announced_at\napple,AAPL,2020-08-06\nnvidia,NVDA,2022-08-31\nhik,002415.SZ,2019-05-22\n"
NOBODY = 54321
PYTHON = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a study on the bundled prices."""
    (tmp_path / "events.csv").write_text(EVENTS, encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        'events = "events.csv"\nprices = "sample"\ncalibrate = 0\nevent_pages = 0\n',
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder of the user without a name, in one that all users can enter; pytest's own are
    closed."""
    with tempfile.TemporaryDirectory(prefix="eventstudy-test-") as name:
        path = Path(name)
        path.chmod(0o755)
        if os.getuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        yield path


def bare(
    *args: object, cwd: Path, env: dict[str, str] | None = None, user: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program with nothing in its environment, as `user` that may read all but write
    nothing else."""
    command = [sys.executable, "-m", "eventstudy", *map(str, args)]
    if user is not None:
        rights = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
        command = [
            "setpriv",
            f"--reuid={user}",
            f"--regid={user}",
            "--clear-groups",
            *rights,
            *command,
        ]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**PYTHON, **(env or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def as_nobody(*args: object, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root becomes another user, with setpriv")
    return bare(*args, cwd=cwd, env=env, user=NOBODY)


class Listener:
    """A web server and a mail server on this machine, which keep what they are sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        got = self.got

        class Web(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.append((self.path, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Keep the test output clean."""

        class Mail(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                for line in self.rfile:
                    if line[:4] == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = iter(self.rfile.readline, b".\r\n")
                        got.append(("mail", b"".join(lines)))
                    self.wfile.write(b"250 ok\r\n")

        self.servers = [
            ThreadingHTTPServer(("127.0.0.1", 0), Web),
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail),
        ]
        self.url = f"http://127.0.0.1:{self.servers[0].server_address[1]}"
        self.smtp = self.servers[1].server_address[1]

    def __enter__(self) -> Listener:
        for server in self.servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()


class TestLogs:
    def entries(self, *args: object, code: int = 0) -> list[dict[str, object]]:
        done = CliRunner().invoke(main, [str(a) for a in args])
        assert done.exit_code == code, done.output
        found = [json.loads(line) for line in done.stderr.splitlines()]
        assert all(list(entry)[:3] == ["time", "level", "event"] for entry in found)
        times = [datetime.fromisoformat(str(entry["time"])) for entry in found]
        assert times == sorted(times)
        assert all(time.tzinfo for time in times)
        return found

    def test_each_step_is_an_entry(self, folder: Path) -> None:
        found = self.entries("run", folder / "study.toml", "--quiet", "--log-format", "json")
        by_name = {str(entry["event"]): entry for entry in found}
        assert [*by_name] == ["started", "prices_loaded", "study_fitted", "run_written", "ended"]
        assert (by_name["study_fitted"]["events"], by_name["study_fitted"]["used"]) == (3, 2)
        assert by_name["run_written"]["folder"] == str(folder / "reports" / "events")
        document = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
        for entry in found:
            assert f"`{entry['event']}`" in document
            for fact in list(entry)[3:]:
                assert f"`{fact}`" in document, fact

    def test_a_failure_is_an_entry_with_its_exit_code(self, folder: Path) -> None:
        (folder / "study.toml").write_text("modle = 1\n", encoding="utf-8")
        found = self.entries("run", folder / "study.toml", "--log-format", "json", code=2)
        assert [(e["event"], e["level"]) for e in found] == [
            ("started", "info"), ("failed", "error"), ("ended", "info"),
        ]  # fmt: skip
        assert "did you mean 'model'" in str(found[1]["text"])
        assert found[1]["exit_code"] == 2

    def test_a_bad_value_of_an_option_is_an_entry_too(self, folder: Path) -> None:
        found = self.entries(
            "run", folder / "events.csv", "--log-format", "json", "--draws", "0", code=2
        )
        assert "failed" in [e["event"] for e in found]

    @pytest.mark.slow
    def test_notices_and_losses(self, folder: Path) -> None:
        found = self.entries(
            "run", folder / "events.csv", "--offline", "--out", folder / "r", "--strict", "--quiet", *QUICK,
            "--log-format", "json", code=3,
        )  # fmt: skip
        by_name = {str(entry["event"]): entry for entry in found}
        assert by_name["notice"]["level"] == "warning"
        assert "bundled sample" in str(by_name["notice"]["text"])
        assert "hik (002415.SZ): no price data" in str(by_name["incomplete"]["text"])
        assert by_name["incomplete"]["exit_code"] == 3

    @pytest.mark.slow
    def test_text_is_a_line_an_event(self, folder: Path) -> None:
        env = {"EVENTSTUDY_LOG_FORMAT": "text"}
        done = CliRunner().invoke(main, ["run", str(folder / "study.toml"), "--quiet"], env=env)
        assert done.exit_code == 0, done.output
        lines = done.stderr.splitlines()
        assert len(lines) == 5
        assert all(
            re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z info [a-z_]+( [a-z]+=.+)*$", line) for line in lines
        )
        assert "study_fitted model=market events=3 used=2" in done.stderr

    def test_warnings_of_other_packages_are_messages(self) -> None:
        program = (
            "import sys, warnings\nfrom eventstudy.cli.log_output import logged\n"
            "with logged('json'):\n    warnings.warn('look out')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], env=PYTHON, capture_output=True, text=True, check=True
        )
        entry = json.loads(done.stderr.splitlines()[1])
        assert (entry["event"], entry["level"], entry["logger"]) == (
            "message",
            "warning",
            "py.warnings",
        )
        assert "look out" in entry["text"]

    def test_a_library_says_nothing_unasked(self) -> None:
        program = "from eventstudy.utility.progress import note\nnote('failed', 'error')"
        done = subprocess.run(
            [sys.executable, "-c", program], env=PYTHON, capture_output=True, text=True, check=True
        )
        assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.slow
def test_losses_are_named_also_if_all_else_is_quiet(folder: Path) -> None:
    done = CliRunner().invoke(
        main, ["run", str(folder / "study.toml"), "--quiet", "--max-loss", "0.3"]
    )
    assert (done.exit_code, done.stdout) == (3, "")
    first, second = done.stderr.splitlines()
    assert (
        first
        == "eventstudy: 33% of the events have no result for [0,1], more than --max-loss 0.3 allows"
    )
    assert second.startswith("  hik (002415.SZ): no price data: not in the bundled sample")


class TestHomeless:
    @pytest.mark.watch
    def test_no_home_at_all(self, folder: Path, public: Path) -> None:
        """No HOME, no name for the user, and the program and the events where it may not write."""
        folder.chmod(0o755)
        env = {"TMPDIR": str(public)}
        before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
        args = ("run", "study.toml", "--out", public / "r")
        done = as_nobody(*args, cwd=folder, env=env)
        assert (done.returncode, done.stderr) == (0, ""), "no price is kept outside the run"
        scratch = public / f"eventstudy-{NOBODY}"
        said = f"prices are kept in {scratch}; set EVENTSTUDY_STORE for another place"
        kept = as_nobody(*args, "--prices", "auto", "--offline", cwd=folder, env=env)
        assert kept.returncode == 0, kept.stderr
        assert kept.stderr.startswith(f"NOTE: no home folder to write to: {said}\n")
        assert scratch.stat().st_mode & 0o777 == 0o700
        assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
        assert (public / "r" / "events" / "report.html").is_file()
        quiet = as_nobody(
            *args, "--quiet", cwd=folder, env={**env, "EVENTSTUDY_STORE": str(public / "s")}
        )
        assert (quiet.returncode, quiet.stderr) == (0, "")

    @pytest.mark.slow
    def test_yfinance_can_be_had_without_a_home(self, folder: Path) -> None:
        program = "from eventstudy.cli.main import main\ntry: main(['list', 'models'])\nfinally: import yfinance"
        writable = folder / "tmp"
        writable.mkdir()
        env = {**PYTHON, "HOME": "/nonexistent/home", "TMPDIR": str(writable)}
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Error" not in done.stderr
        assert not (folder / "~").exists()

    def test_a_home_is_left_alone(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        from eventstudy.cli.main import FOLDERS, settle

        for name in [*FOLDERS, "MPLCONFIGDIR", "EVENTSTUDY_STORE"]:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert settle() == ""
        assert not set(FOLDERS) & set(os.environ)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_of_somebody_else_is_not_used(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from eventstudy.cli.main import FOLDERS, settle

        for name in [*FOLDERS, "MPLCONFIGDIR", "EVENTSTUDY_STORE"]:
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
        (tmp_path / "file").write_text("no folder", encoding="utf-8")
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        open_to_all = tmp_path / f"eventstudy-{os.getuid()}"
        open_to_all.mkdir()
        open_to_all.chmod(0o777)
        said = settle()
        assert "no home folder" in said
        assert f"{open_to_all};" not in said
        assert list(open_to_all.iterdir()) == []


class TestFilesToCopy:
    @pytest.fixture
    def program(self, tmp_path: Path) -> Path:
        """The program where the files expect a virtual environment."""
        path = tmp_path / "opt" / "bin" / "eventstudy"
        path.parent.mkdir(parents=True)
        # What an installed script is, for this source.
        path.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
            "from eventstudy.cli.main import main\nmain()\n",
            encoding="utf-8",
        )
        path.chmod(0o755)
        return path

    def placed(self, text: str, folder: Path, program: Path) -> str:
        return text.replace("/srv/eventstudy", str(folder)).replace(
            "/opt/eventstudy/bin/eventstudy", str(program)
        )

    @pytest.mark.slow
    def test_the_cron_line_refreshes_the_study(self, folder: Path, program: Path) -> None:
        lines = [
            line
            for line in (FILES / "crontab").read_text(encoding="utf-8").splitlines()
            if line[:1].isdigit()
        ]
        [command] = [re.fullmatch(r"(?:[\d*,/-]+ +){5}(.*)", line)[1] for line in lines]  # type: ignore[index]
        assert "%" not in command, "cron takes it for a line break"
        done = subprocess.run(
            ["/bin/sh", "-c", self.placed(command, folder, program)],
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}, cwd="/",
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert (folder / "reports" / "events" / "report.html").is_file()

    @pytest.mark.slow
    @pytest.mark.skipif(not shutil.which("curl"), reason="the scripts need curl")
    def test_the_scripts_tell_slack_mail_and_a_monitor(
        self, folder: Path, program: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a change whose facts have quotes and letters of other languages."""
        monkeypatch.chdir(folder)
        events = folder / 'an "o" & ü.csv'
        (folder / "events.csv").rename(events)
        study = [str(events), "--prices", "sample", "--name", "ü", *QUICK]
        with Listener() as listener:
            env = {
                "SLACK_WEBHOOK": listener.url, "HEALTHCHECK_URL": listener.url,
                "SMTP_URL": f"smtp://127.0.0.1:{listener.smtp}", "MAIL_FROM": "a@example.org",
                "MAIL_TO": "b@example.org", "EVENTSTUDY": str(program),
            }  # fmt: skip
            shown = {}
            for name in ("slack.sh", "mail.sh"):
                hook = ["--on-change", f"/bin/sh {FILES / name}", "--out", name]
                for text in (EVENTS, EVENTS.replace("2020-08-06", "2020-08-07")):
                    events.write_text(text, encoding="utf-8")
                    done = CliRunner().invoke(main, ["refresh", *study, *hook], env=env)
                    assert done.exit_code == 0, done.output
                shown[name] = list(listener.got)
                listener.got.clear()
            command = ["/bin/sh", FILES / "healthchecks.sh", *study, "--out", "slack.sh"]
            codes = []
            for more in ([], ["--strict"]):
                done = subprocess.run(
                    [*command, *more], cwd=folder, env={**PYTHON, **env}, check=False,
                    capture_output=True,
                )  # fmt: skip
                codes.append(done.returncode)
        first, changed = (json.loads(body)["text"] for _, body in shown["slack.sh"])
        assert first == "ü: first run"
        assert changed.startswith("ü: 1 event edited, 1 event with another day 0")
        assert (
            '"o" &amp; ü.csv' in changed or "data/events.csv" in changed or "events.csv" in changed
        )
        mail = email.message_from_bytes(shown["mail.sh"][1][1], policy=email.policy.default)
        assert mail["Subject"].startswith("ü: 1 event edited")
        assert "Events edited" in mail.get_content()
        assert codes == [0, 3]
        pings = [(path, "--strict" in body.decode()) for path, body in listener.got]
        assert pings == [("/start", False), ("/0", False), ("/start", False), ("/3", True)]

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
    def test_systemd_takes_the_units(self, folder: Path, program: Path) -> None:
        units = folder / "units"
        units.mkdir()
        for name in ("eventstudy.service", "eventstudy.timer"):
            text = self.placed((FILES / name).read_text(encoding="utf-8"), folder, program)
            (units / name).write_text(
                text.replace("User=eventstudy", "User=root"), encoding="utf-8"
            )
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *map(str, sorted(units.iterdir()))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        ours = [line for line in (done.stdout + done.stderr).splitlines() if "eventstudy." in line]
        assert (done.returncode, ours) == (0, [])

    def test_the_unit_does_not_repeat_what_cannot_succeed(self) -> None:
        unit = RawConfigParser(strict=False)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read(FILES / "eventstudy.service", encoding="utf-8")
        assert unit["Service"]["RestartPreventExitStatus"].split() == ["1", "2", "3", "4"]
        # Two attempts come after the time for which a source that asks us to wait is left alone.
        pause = timedelta(minutes=int(unit["Service"]["RestartSec"].removesuffix("min")))
        starts = int(unit["Unit"]["StartLimitBurst"])
        assert pause * (starts - 2) >= REST
        arguments = shlex.split(unit["Service"]["ExecStart"])[1:]
        assert _parsed(arguments)

    def test_the_workflow_is_yaml_and_its_command_exists(self) -> None:
        yaml = pytest.importorskip("yaml")
        flow = yaml.safe_load((FILES / "github-workflow.yml").read_text(encoding="utf-8"))
        job = flow["jobs"]["refresh"]
        commands = [step["run"] for step in job["steps"] if "run" in step]
        [ours] = [c for c in commands if c.startswith("eventstudy ")]
        assert _parsed(shlex.split(ours)[1:])
        assert [step for step in job["steps"] if not {"run", "uses"} & set(step)] == []
        assert flow[True]["schedule"] == [{"cron": "30 22 * * 1-5"}]

    @pytest.mark.slow
    def test_the_image_runs_as_a_user_without_a_name(self, folder: Path, public: Path) -> None:
        """The command of the image, in its environment, as its user; building it needs a
        network."""
        text = (FILES / "Dockerfile").read_text(encoding="utf-8")
        steps = [
            line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")
        ]
        of = dict(steps)
        env = dict(part.split("=", 1) for part in shlex.split(of["ENV"]))
        args = [*json.loads(of["ENTRYPOINT"])[1:], *json.loads(of["CMD"])]
        assert int(of["USER"]) > 0
        for name in ("events.csv", "study.toml"):
            shutil.copy(folder / name, public)
        env = {k: v.replace("/study/", f"{public}/") for k, v in env.items()} | {
            "TMPDIR": str(public)
        }
        done = as_nobody(*args, cwd=public, env=env)
        assert done.returncode == 0, done.stderr
        assert all(json.loads(line) for line in done.stderr.splitlines())
        assert (public / "reports" / "events" / "report.html").is_file()


def _parsed(arguments: list[str]) -> bool:
    """Tell whether the program knows a command with these options."""
    command = main.commands[arguments[0]]
    with command.make_context(arguments[0], arguments[1:]) as context:
        return context.command is command
