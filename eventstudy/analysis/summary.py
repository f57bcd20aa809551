"""The tests of a study in short, as a text and as a table of a notebook."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import pandas as pd

from ..pvalues import pvalue
from ..significance import STATISTICS
from ..typing import Measure
from ..windows import Window

TEXT_WIDTH = 100


@dataclass(frozen=True, eq=False)
class Summary:
    """Tests by window in short; `weak` are the windows and tests that are not to be relied on."""

    tests: pd.DataFrame
    n_used: int
    n_events: int
    measure: Measure = "return"
    lead: str = ""
    weak: frozenset[tuple[Window, str]] = frozenset()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a window: window, N, CAAR in percent (else log points), and the p-value of each test."""
        t = self.tests.assign(
            window=[str(Window(a, b)) for a, b in zip(self.tests["start"], self.tests["stop"], strict=True)]
        )
        first = t.drop_duplicates("window").set_index("window")
        p = t.pivot_table(index="window", columns="test", values="pvalue", aggfunc="first", dropna=False)
        p = p.loc[first.index, t["test"].drop_duplicates()]
        log = {"CAAR log points": first["estimate"]}
        caar = {"CAAR %": 100 * first["estimate"]} if self.measure == "return" else log
        head = pd.DataFrame({"N": first["n_events"], **caar})
        return pd.concat([head, p], axis=1)

    @property
    def note(self) -> str:
        """The units, which test leads, and what brackets mean."""
        tested = [STATISTICS[name].label for name in self.tests["test"].drop_duplicates()]
        unit = "percent" if self.measure == "return" else "log points"
        said = f"CAAR in {unit}; p-values of {', '.join(tested)}."
        more = f" {self.lead} leads. In brackets: not to be relied on, see diagnose()." if self.lead else ""
        return said + more

    def __str__(self) -> str:
        note = textwrap.fill(self.note, TEXT_WIDTH, break_on_hyphens=False)
        return f"{self._marked('-').to_string()}\n{note}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.note)}</p>{self._marked('–').to_html(border=0)}"

    def _marked(self, missing: str) -> pd.DataFrame:
        """Return the frame as text, brackets around the p-values that are not to be relied on."""
        columns = {
            name: [self._text(window, name, value, missing) for window, value in values.items()]
            for name, values in self.frame.items()
        }
        return pd.DataFrame(columns, index=self.frame.index)

    def _text(self, window: Any, name: Any, value: Any, missing: str) -> str:
        if pd.isna(value):
            return missing
        text = pvalue(value, 4) if isinstance(value, float) and name in STATISTICS else _number(value)
        return f"({text})" if (Window.of(window), name) in self.weak else text


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
