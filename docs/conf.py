"""The site: `python -m sphinx -W -j auto -b html docs docs/_build/html` (extra `docs`)."""

from __future__ import annotations

import logging
import os
import re
import sys
from bisect import bisect
from contextlib import suppress
from pathlib import Path
from typing import Any

from docutils import nodes
from jupyter_client import AsyncKernelManager

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]
# The kernel of the tutorials imports this clone.
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])

# A style of code that the theme imports asks for all messages, unless this was called before.
logging.basicConfig()
# A kernel warns if what it says is not encrypted; older ones neither warn nor can.
with suppress(AttributeError):
    AsyncKernelManager.transport_encryption.default_value = "auto"

# Figures of the manual have the same style as figures of a run.
os.environ["MATPLOTLIBRC"] = str(HERE.parent / "eventstudy" / "data" / "figures.mplstyle")

from eventstudy import __version__  # noqa: E402

project = "eventstudy"
author = "the eventstudy-kit authors"
copyright = "the eventstudy-kit authors"  # noqa: A001
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_click",
    "sphinxcontrib.bibtex",
    "sphinx_copybutton",
    "sphinx_design",
    "console",
    "copies",
    "finding",
    "mathml",
    "messages",
    "readers",
    "registry_pages",
]
exclude_patterns = ["_build", "operations", "**/.ipynb_checkpoints"]
source_suffix = {".md": "myst-nb"}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120

autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "none"
numpydoc_show_class_members = False
bibtex_bibfiles = ["../eventstudy/data/references.bib"]
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"

smartquotes = False
# Pages that stand this far apart in the alphabet are read by one process after the other.
STRIDE = 6
# False alarms in percent at which a table takes another colour: 4 to 7 is good.
HEAT = (4, 7, 10, 20, 40)

html_theme = "furo"
template_bridge = "readers.Templates"
html_favicon = "_static/favicon.svg"
html_title = f"eventstudy {version.partition('+')[0]}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(HERE / "_ext" / "ranks.js")
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"


def keep_bars(
    _app: Any, _kind: str, _name: str, _thing: Any, _options: Any, lines: list[str]
) -> None:
    """Keep the bars of absolute values, such as |CAR|, from being taken for substitutions."""
    is_formula = False
    for i, line in enumerate(lines):
        goes_on = not line or line.startswith((" ", "\t"))
        is_formula = ".. math::" in line or (is_formula and goes_on)
        if not is_formula:
            lines[i] = re.sub(r"\|([^|`]+)\|(?!`)", r"\\|\1\\|", line)


def spread(_app: Any, _env: Any, names: list[str]) -> None:
    """Spread the pages of a folder over the processes that read, as those that run cost most."""
    names[:] = [name for first in range(STRIDE) for name in names[first::STRIDE]]


def color_rates(_app: Any, doctree: nodes.document) -> None:
    """Give each rate of a table of the class `heat` the class of its colour."""
    for table in doctree.findall(nodes.table):
        for entry in table.findall(nodes.entry) if "heat" in table["classes"] else ():
            with suppress(ValueError):
                entry["classes"].append(f"heat-{bisect(HEAT, float(entry.astext()))}")


def cut_parameters(_app: Any, _context: Any, lines: list[str]) -> None:
    """Leave out of a command's help what its docstring says to programmers."""
    for i, line in enumerate(lines[1:]):
        if lines[i].strip() == "Parameters" and set(line.strip()) == {"-"}:
            del lines[i:]
            break


def setup(app: Any) -> None:
    """Look at docstrings once numpydoc has formed them; read pages in another order."""
    app.connect("autodoc-process-docstring", keep_bars, priority=900)
    app.connect("env-before-read-docs", spread)
    app.connect("doctree-read", color_rates)
    app.connect("sphinx-click-process-description", cut_parameters)
