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
    """Tests by window in short; `main` is the main test."""

    tests: pd.DataFrame
    n_used: int
    n_events: int
    measure: Measure = "return"
    main: str = ""

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
        """The units, and which test decides."""
        tested = [STATISTICS[name].label for name in self.tests["test"].drop_duplicates()]
        unit = "percent" if self.measure == "return" else "log points"
        note = f"CAAR in {unit}; p-values of {', '.join(tested)}."
        return f"{note} Main test: {STATISTICS[self.main].label}." if self.main else note

    def __str__(self) -> str:
        note = textwrap.fill(self.note, TEXT_WIDTH, break_on_hyphens=False)
        return f"{self._marked('-').to_string()}\n{note}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.note)}</p>{self._marked('–').to_html(border=0)}"

    def _marked(self, missing: str) -> pd.DataFrame:
        """Return the frame as text."""
        columns = {
            name: [missing if pd.isna(value) else _text(name, value) for value in values]
            for name, values in self.frame.items()
        }
        return pd.DataFrame(columns, index=self.frame.index)


def _text(name: Any, value: Any) -> str:
    if isinstance(value, float):
        return pvalue(value, 4) if name in STATISTICS else f"{value:.4f}"
    return str(value)
