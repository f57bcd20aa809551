"""The tests of a study in short, as a text and as a table of a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import pandas as pd

from ..calendars.window import Window
from ..fitting.fitted import FittedStudy, WindowsLike
from ..significance import STATISTICS
from ..utility.numbers import pvalue
from ..utility.typing import Measure
from .answer import Answer, answer_of, default_tests, main_test_of

TEXT_WIDTH = 100


@dataclass(frozen=True, eq=False)
class Summary:
    """Answers and tests by window in short; `main` is the main test of the main window."""

    tests: pd.DataFrame
    answers: tuple[Answer, ...]
    n_used: int
    n_events: int
    measure: Measure = "return"
    main: str = ""

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a window: N, effect, 95% interval and CAAR (percent or log points), p-values."""
        ends = zip(self.tests["start"], self.tests["stop"], strict=True)
        t = self.tests.assign(window=[str(Window(a, b)) for a, b in ends])
        first = t.drop_duplicates("window").set_index("window")
        p = t.set_index(["window", "test"])["pvalue"].unstack()  # noqa: PD010
        p = p.loc[first.index, t["test"].drop_duplicates()]
        scale, unit = (100, "%") if self.measure == "return" else (1, "log points")
        effects = pd.DataFrame([a.effect for a in self.answers], index=first.index)
        names = {"estimate": f"effect {unit}", "ci_low": "low", "ci_high": "high"}
        head = scale * effects[list(names)].rename(columns=names)
        head[f"CAAR {unit}"] = scale * first["estimate"]
        head.insert(0, "N", first["n_events"])
        return pd.concat([head, p], axis=1)

    @property
    def note(self) -> str:
        """The units, and which test decides."""
        tested = [STATISTICS[name].label for name in self.tests["test"].drop_duplicates()]
        unit = "percent" if self.measure == "return" else "log points"
        note = f"Effect with its 95% interval and CAAR in {unit}; p-values of {', '.join(tested)}."
        return f"{note} Main test: {STATISTICS[self.main].label}." if self.main else note

    def __str__(self) -> str:
        note = textwrap.fill(self.note, TEXT_WIDTH, break_on_hyphens=False)
        return f"{self._marked('-').to_string()}\n{note}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.note)}</p>{self._marked('–').to_html(border=0)}"

    def _marked(self, missing: str) -> pd.DataFrame:
        """Return the frame as text."""
        digits = 2 if self.measure == "return" else 4

        def text(name: Any, value: Any) -> str:
            """Return a cell as text.

            Parameters
            ----------
            name : str
                The column; those of tests hold p-values.
            value : float, int or str
                The cell; NaN is shown as `missing`.

            Returns
            -------
            str
            """
            if pd.isna(value):
                return missing
            if not isinstance(value, float):
                return str(value)
            return pvalue(value, 4) if name in STATISTICS else f"{value:.{digits}f}"

        columns = {name: [text(name, v) for v in values] for name, values in self.frame.items()}
        return pd.DataFrame(columns, index=self.frame.index)


def summary(
    study: FittedStudy, windows: WindowsLike | None = None, names: Iterable[str] | None = None
) -> Summary:
    """Return answers and tests of a study by window in short.

    Parameters
    ----------
    study : FittedStudy
    windows : windows, optional
        By default the standard ones that fit into the event window.
    names : iterable of str, optional
        Tests to show; by default the main test and the usual ones.

    Returns
    -------
    Summary
    """
    chosen = study.windows_of(windows)
    tests = study.tests(chosen, names or default_tests(study))
    answers = tuple(answer_of(study, window) for window in chosen)
    counts = len(study), len(study.events)
    return Summary(tests, answers, *counts, study.panel.measure, main_test_of(study))
