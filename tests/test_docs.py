"""Every example of the documents is executed, every command of the README exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT

from eventstudy.cli import shared as parts
from eventstudy.cli.main import main
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS

FOLDERS = (".", "docs", "docs/methods")
DOCUMENTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))
DOCUMENTS.append(ROOT / "docs" / "reference" / "other-programs.md")


# Whole runs or exports of which the quick examples have some as well.
SLOW = {
    "python": ("exports.md-2",),
    "console": ("exports.md-0", "notebook.md-0"),
}


def examples(language: str) -> list[Any]:
    slow = SLOW[language]
    return [
        pytest.param(text, id=name, marks=[pytest.mark.slow] if name in slow else [])
        for name, text in blocks(language)
    ]


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for path in DOCUMENTS:
        texts = re.findall(
            rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M
        )
        found += [(f"{path.name}-{i}", text) for i, text in enumerate(texts)]
    return found


@pytest.fixture
def _in_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the events of two shares, which have every column and both groups of the list."""
    header, *rows = (ROOT / "events.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [row for row in rows if row.startswith(("bby-", "nvda-"))]
    (tmp_path / "events.csv").write_text(header + "".join(kept), encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("_in_a_copy")
@pytest.mark.parametrize("text", examples("python"))
def test_python_examples(text: str) -> None:
    exec(compile(text, "example", "exec"), {"__name__": "example"})


@pytest.mark.slow
@pytest.mark.usefixtures("_in_a_copy")
@pytest.mark.parametrize("text", examples("console"))
def test_commands(text: str) -> None:
    for line in text.replace("\\\n", "").splitlines():
        if line.startswith("$ eventstudy "):
            arguments = shlex.split(line, comments=True)[2:]
            if arguments[0] == "run":
                arguments.append("--offline")
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 0, (line, result.output)


def test_no_command_is_cut_at_the_edge_of_its_box() -> None:
    """It holds 90 letters on a desk."""
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts]
    texts = {page.name: page.read_text(encoding="utf-8") for page in pages}
    long = {
        name: re.findall(r"^(?=.{91})(?:\$ )?eventstudy .*", text, re.M)
        for name, text in texts.items()
    }
    assert not {name: lines for name, lines in long.items() if lines}


def test_every_latex_figure_of_the_manual_fits_its_column() -> None:
    r"""A figure is 720 points wide, the column of `article` 345."""
    shown = [
        options
        for page in (ROOT / "docs").rglob("*.md")
        for options in re.findall(r"\\includegraphics(.*?)\{", page.read_text(encoding="utf-8"))
    ]
    assert len(shown) >= 2
    assert set(shown) == {r"[width=\linewidth]"}


def test_pages_of_the_readme_have_nothing_that_github_shows_as_code() -> None:
    """Pictures are plain Markdown, words of the search a comment; the site alone has the rest."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {ROOT / link for link in re.findall(r"\]\((docs/[^)#]+\.md)", text)}
    assert len(linked) > 10
    for page in linked:
        assert not re.search(r"\{(image|index|grid)\}", page.read_text(encoding="utf-8")), page


def answer_of_the_readme() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"^\$ eventstudy run events.csv\n(.*?)^```", text, re.S | re.M)
    return str(shown)


@pytest.mark.slow
def test_output_in_the_readme_is_that_of_the_command(tmp_path: Path) -> None:
    """To the letter, below the lines that say where prices come from without a network."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    shutil.copy(ROOT / "events.csv", tmp_path)
    command = [sys.executable, "-m", "eventstudy", "run", "events.csv", "--event-pages", "0"]
    env = {
        **os.environ,
        **nowhere,
        "EVENTSTUDY_STORE": str(tmp_path / "s.sqlite"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert f"\n{answer_of_the_readme()}\n" in done.stdout


@pytest.mark.slow
def test_python_in_five_minutes_has_the_answer_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its cells run as one program, in a folder without anything; the first prints the answer."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "start" / "python.md").read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}\n([^:].*?)^```", page, re.S | re.M)
    exec(compile("\n".join(cells), "python.md", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out.startswith(f"{answer_of_the_readme()}\n")


def test_readme_starts_with_exactly_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^python3 -m venv ", text, re.M)) == 2


def test_every_command_option_model_and_test_is_documented() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for command in main.commands.values():
        for option in command.params:
            for name in option.opts:
                assert not name.startswith("--") or f"{name}" in text, (
                    f"{name} of {command.name} is in no document"
                )
    for name in (*MODELS, *STATISTICS):
        assert f"`{name}`" in text, name


def test_every_exit_code_is_in_the_help_and_the_operations() -> None:
    names = ("NO_STUDY", "USAGE", "INCOMPLETE", "DIFFERENT", "LATER", "INTERRUPTED", "TERMINATED")
    codes = {int(getattr(parts, name)) for name in names}
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = told.partition("| code | meaning |")[2].partition("\n\n")[0]
    rows = [re.findall(r"\d+", line.split("|")[1]) for line in table.splitlines()[2:]]
    assert {0, *codes} == {int(code) for row in rows for code in row}
    named = re.findall(r"(?:^|, |,\n)(\d+) ", parts.EXIT_CODES.partition("Exit codes: ")[2])
    assert {0, *codes} == {int(code) for code in named}


# Pages that the build of the site writes, one for each registered name.
MADE = {
    ROOT / "docs" / "tests": {*STATISTICS, "index"},
    ROOT / "docs" / "models": {*MODELS, "index"},
    ROOT / "docs" / "api": {"index"},
}


def test_links_between_documents_lead_somewhere() -> None:
    """Files and headings."""
    for path in DOCUMENTS:
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
            file, _, heading = link.partition("#")
            target = (path.parent / file if file else path).resolve()
            if target.parent in MADE:
                assert target.stem in MADE[target.parent], (path.name, link)
                continue
            assert target.exists(), (path.name, link)
            if heading and target.suffix == ".md":
                heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
                slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
                assert heading in slugs, (path.name, link)


# A page to read, and the pages that have its details.
DETAILS = {
    "how-to/coming-from": ("reference/other-programs",),
    "how-to/every-night": ("operations", "reproduce"),
    "how-to/own-prices": ("prices",),
    "how-to/vendors": ("prices",),
    "how-to/tables": ("exports",),
    "how-to/extend": ("plug-ins",),
    "how-to/times": ("methods/dates", "day0-differences"),
    "how-to/choose-a-test": ("methods/tests", "methods/second-opinions"),
    "how-to/groups": ("methods/groups",),
    "how-to/regressions": ("methods/regressions",),
    "how-to/long-horizon": ("methods/long-horizon",),
    "explanation/halts-and-bad-prices": (
        "faults", "methods/missing-days", "methods/price-limits",
    ),
    "explanation/reproducible": ("reproduce",),
    "reference/validation": ("verdicts",),
}  # fmt: skip


def test_short_pages_and_their_details_lead_to_each_other() -> None:
    docs = ROOT / "docs"
    for short, pages in DETAILS.items():
        for page in pages:
            for one, other in ((short, page), (page, short)):
                path = docs / f"{one}.md"
                text = path.read_text(encoding="utf-8")
                link = Path(os.path.relpath(docs / f"{other}.md", path.parent)).as_posix()
                assert re.search(rf"\]\({re.escape(link)}[)#]", text), (one, other)


def test_hypotheses_of_the_document_are_those_of_the_tests() -> None:
    text = (ROOT / "docs" / "methods" / "tests.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| (.*?) \| (`.*`) \|$", text, re.M))
    for name, t in STATISTICS.items():
        assert f"`{name}`" in listed[t.null]
