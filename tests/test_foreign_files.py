"""Another project named eventstudy, installed into the same environment, is said in one sentence.

The wheels are real, and pip installs them without a network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT

OTHER = {
    "eventstudy/__init__.py": "from .single import Single\n",
    "eventstudy/single.py": "from .models import market_model\n\nclass Single: ...\n",
    "eventstudy/models.py": "def market_model(): ...\n",
}
SENTENCE = "files of another project (eventstudy) lie in "
REMEDY = "uninstall eventstudy and eventstudy-kit, then install eventstudy-kit again"


def other_wheel(folder: Path) -> Path:
    """Write a wheel as the other project has: the same package, no command."""
    about = "eventstudy-0.1a12.dist-info"
    head = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    texts = {
        **OTHER,
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: eventstudy\nVersion: 0.1a12\n",
        f"{about}/WHEEL": head,
    }
    rows = []
    for name, text in texts.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(text)}")
    rows.append(f"{about}/RECORD,,")
    path = folder / "eventstudy-0.1a12-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**texts, f"{about}/RECORD": "\n".join(rows) + "\n"}.items():
            wheel.writestr(name, text)
    return path


@dataclass
class Environment:
    """A virtual environment; what the programs need comes from that of the tests."""

    home: Path

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        scripts = self.home / ("Scripts" if os.name == "nt" else "bin")
        env = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
        return subprocess.run(
            [scripts / str(command[0]), *map(str, command[1:])],
            cwd=self.home, env=env, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def pip(self, *arguments: object) -> None:
        offline = ["--no-index", "--no-deps"] if arguments[0] == "install" else ["--yes"]
        done = self.run("python", "-I", "-m", "pip", *arguments, *offline, "--quiet")
        assert done.returncode == 0, done.stderr

    def refusal(self) -> str:
        """Return what the command says: one line, whatever is wanted of it."""
        for arguments in (["--version"], ["run", "events.csv"]):
            done = self.run("eventstudy", *arguments)
            assert done.returncode == 2, (done.stdout, done.stderr)
            assert done.stdout == ""
            assert done.stderr.count("\n") == 1
        return done.stderr.strip()

    def start(self) -> str:
        done = self.run("eventstudy", "--version")
        assert done.returncode == 0, done.stderr
        assert self.importing().returncode == 0
        return done.stdout

    def importing(self) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-c", "import eventstudy; from eventstudy import StudyConfig")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Ours and that of the other project."""
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (ours,) = folder.glob("eventstudy_kit-*.whl")
    return ours, other_wheel(folder)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("env") / "home"
    venv.create(home, with_pip=True, symlinks=os.name != "nt")
    return home


@pytest.fixture
def environment(empty: Path) -> Environment:
    made = Environment(empty)
    made.pip("uninstall", "eventstudy", "eventstudy-kit")
    left = Path(
        made.run("python", "-c", "import site; print(site.getsitepackages()[0])").stdout.strip()
    )
    shutil.rmtree(left / "eventstudy", ignore_errors=True)
    return made


@pytest.mark.watch
def test_alone_it_starts(environment: Environment, wheels: tuple[Path, Path]) -> None:
    environment.pip("install", wheels[0])
    assert environment.start().startswith("eventstudy, version ")


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((0, 1), id="ours first", marks=pytest.mark.watch),
        pytest.param((1, 0), id="theirs first", marks=pytest.mark.slow),
    ],
)
def test_beside_the_other_project_it_names_it_and_the_remedy(
    order: tuple[int, int], environment: Environment, wheels: tuple[Path, Path]
) -> None:
    for number in order:
        environment.pip("install", wheels[number])
    said = environment.refusal()
    assert said.startswith(f"eventstudy: {SENTENCE}")
    assert said.endswith(REMEDY)
    # The import ends in the same sentence, also where the door of the package is the other's.
    done = environment.importing()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"ImportError: {SENTENCE}")

    # Its removal takes files of ours along.
    environment.pip("uninstall", "eventstudy")
    assert "files of eventstudy-kit are gone" in environment.refusal()
    # What the sentence tells to do.
    environment.pip("uninstall", "eventstudy-kit")
    environment.pip("install", wheels[0])
    environment.start()


@pytest.mark.slow
def test_a_file_that_the_user_has_changed_or_added_stops_nothing(
    environment: Environment, wheels: tuple[Path, Path]
) -> None:
    environment.pip("install", wheels[0])
    find = "import eventstudy; print(eventstudy.__path__[0])"
    package = Path(environment.run("python", "-c", find).stdout.strip())
    (package / "mine.py").write_text("", encoding="utf-8")
    with (package / "errors.py").open("a", encoding="utf-8") as file:
        file.write("\n# looked at\n")
    environment.start()


@pytest.mark.slow
def test_a_package_of_the_other_project_that_python_finds_first(
    environment: Environment, wheels: tuple[Path, Path], tmp_path: Path
) -> None:
    """As beside an editable clone."""
    environment.pip("install", wheels[1], "--target", tmp_path)
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import eventstudy_kit as k; k.main()"
    done = environment.run("python", "-c", code)
    assert done.returncode == 2
    assert done.stderr.startswith(f"eventstudy: Python takes eventstudy from {tmp_path}")
