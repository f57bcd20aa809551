"""Directives `console`, `run` and `file`: what is run while the site is built, and its files.

They run in the order of the page, in a folder of its own below `docs/_build/runs`, beside
`events.csv` and the study of the bundled prices (`reports/events`), without a network. A command
that fails ends the build.

A command `eventstudy` without anything of the shell, and a program, run in a copy of this process
(`os.fork`), which has imported what they need: that is twice as fast as a new one.
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import pkgutil
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import SphinxDirective

import eventstudy
from eventstudy.cli.main import main

DOCS = Path(__file__).parents[1]
WORK = DOCS / "_build" / "runs"
BIN, FIRST = WORK / "bin", WORK / "first"
STUDY = "eventstudy run events.csv --prices sample"
PROGRAM = "python program.py"
NOWHERE = "http://127.0.0.1:9"
# Not of the shell: one command with its arguments.
PLAIN = re.compile(r"eventstudy [^|&;<>$`*\n]*")
IMPORTED = ("matplotlib.pyplot", "scipy.optimize", "scipy.stats", "statsmodels.api", "jinja2")
SCRIPTS = {
    "eventstudy": f"#!{sys.executable}\nfrom eventstudy.cli.main import main\n\nmain()\n",
    "python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
}


def prepare(_app: Sphinx) -> None:
    """Make the commands `eventstudy` and `python`, and the study that pages begin with."""
    shutil.rmtree(WORK, ignore_errors=True)
    for folder in (BIN, FIRST):
        folder.mkdir(parents=True)
    for name, text in SCRIPTS.items():
        (BIN / name).write_text(text, encoding="utf-8")
        (BIN / name).chmod(0o755)
    shutil.copy(DOCS.parent / "events.csv", FIRST)
    for name in (
        *IMPORTED,
        *(m.name for m in pkgutil.walk_packages(eventstudy.__path__, "eventstudy.")),
    ):
        if not name.endswith("__main__"):
            importlib.import_module(name)
    (BIN / "study.txt").write_text(run(STUDY, FIRST), encoding="utf-8")


def run(command: str, folder: Path, code: int = 0) -> str:
    """Return what a command prints; SphinxError if it ends with another code.

    Parameters
    ----------
    command : str
    folder : Path
    code : int
    """
    env = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(DOCS.parent),
        "EVENTSTUDY_STORE": str(folder / "prices.sqlite"),
        "HTTPS_PROXY": NOWHERE,
        "https_proxy": NOWHERE,
        "COLUMNS": "80",
    }
    if PLAIN.fullmatch(command) and hasattr(os, "fork"):
        arguments = shlex.split(command, comments=True)[1:]
        ended, text = forked(lambda: main(arguments, prog_name="eventstudy"), folder, env)
    elif command == PROGRAM and hasattr(os, "fork"):
        ended, text = forked(lambda: runpy.run_path("program.py", run_name="__main__"), folder, env)
    else:
        done = subprocess.run(
            command, shell=True, cwd=folder, env=env, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        ended, text = done.returncode, done.stdout
    if ended != code:
        raise SphinxError(f"{command} ended with {ended}\n{text}")
    return text.replace(f"{folder}/", "")


def forked(work: Callable[[], object], folder: Path, env: dict[str, str]) -> tuple[int, str]:
    """Return the exit code and the output of what is done in a copy of this process.

    Parameters
    ----------
    work : callable
    folder : Path
        Where it is done.
    env : dict of str to str
        All variables of its environment.
    """
    with tempfile.TemporaryFile() as file:
        child = os.fork()
        if not child:
            os._exit(_do(work, folder, env, file.fileno()))
        _, status = os.waitpid(child, 0)
        file.seek(0)
        return os.waitstatus_to_exitcode(status), file.read().decode("utf-8")


def _do(work: Callable[[], object], folder: Path, env: dict[str, str], output: int) -> int:
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), "utf-8", write_through=False)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), "utf-8", write_through=True)
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    code = 0
    try:
        work()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    return code


class InFolder(SphinxDirective):
    """A directive that works in the folder of its page, which is empty when the page is begun."""

    @property
    def folder(self) -> Path:
        folder = WORK / self.env.docname.replace("/", "-")
        if "console" not in self.env.temp_data:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(FIRST, folder)
            self.env.temp_data["console"] = True
        return folder

    def cut(self, output: str) -> list[str]:
        """Return the lines of an output as far as they are wanted.

        Parameters
        ----------
        output : str
        """
        lines = output.rstrip().splitlines()
        if len(lines) > self.options.get("lines", len(lines)):
            lines = [*lines[: self.options["lines"]], "..."]
        return lines


class Console(InFolder):
    """Run the lines that begin with `$`, and show them with what they print."""

    has_content = True
    option_spec: ClassVar = {
        "exit": directives.nonnegative_int,
        "lines": directives.nonnegative_int,
        "quiet": directives.flag,
        "hidden": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        commands = re.split(r"^(?=\$ )", "\n".join(self.content), flags=re.M)
        text = "\n".join(part for command in commands for part in self.printed(command.rstrip()))
        if "hidden" in self.options:
            return []
        block = nodes.literal_block(text, text, language="console")
        self.set_source_info(block)
        return [block]

    def printed(self, command: str) -> list[str]:
        """Return a command, of several lines or one, and its output as far as it is wanted.

        Parameters
        ----------
        command : str
        """
        if not command:
            return []
        output = self.cut(self.output(command[2:]))
        return [command] if "quiet" in self.options else [command, *output]

    def output(self, command: str) -> str:
        """Return the output of a command; the first study was run beforehand."""
        if command == STUDY:
            return (BIN / "study.txt").read_text(encoding="utf-8")
        return run(command.replace("\\\n", " "), self.folder, self.options.get("exit", 0))


class File(InFolder):
    """Write a file beside the commands, and show it."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name, text = self.arguments[0], "\n".join(self.content)
        (self.folder / name).write_text(f"{text}\n", encoding="utf-8")
        language = {"py": "python", "toml": "toml", "sh": "sh"}.get(name.rpartition(".")[2], "text")
        block = nodes.literal_block(text, text, language=language)
        caption = nodes.caption("", "", nodes.literal("", name))
        return [nodes.container("", caption, block, literal_block=True, classes=["file"])]


class Program(InFolder):
    """Run a program in Python, and show it with what it prints."""

    has_content = True
    option_spec: ClassVar = {"lines": directives.nonnegative_int, "hidden": directives.flag}

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        (self.folder / "program.py").write_text(f"{text}\n", encoding="utf-8")
        output = "\n".join(self.cut(run(PROGRAM, self.folder)))
        if "hidden" in self.options:
            return []
        blocks = [nodes.literal_block(text, text, language="python")]
        if output:
            blocks.append(nodes.literal_block(output, output, language="text"))
        return list(blocks)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("console", Console)
    app.add_directive("file", File)
    app.add_directive("run", Program)
    app.connect("builder-inited", prepare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
