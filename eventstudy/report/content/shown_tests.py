"""What the report says in several places: which tests it shows, and how far each is to be
trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.answer import main_test_of
from ...analysis.diagnosis import diagnose
from ...analysis.opinions import NOT_VALID
from ...analysis.opinions import percent as share
from ...calendars.window import Window
from ...significance import STATISTICS, SignificanceTest

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy
    from ...models import LinearModel

# What the t of a single CAR is, by whether its variance is that of the estimator.
LAW = {True: "exact under normality", False: "approximate, as is its variance"}
# Why there is no opinion on a test, by whether there is one event.
UNJUDGED = {
    True: "one event, and this is a test of several",
    False: "not judged for so many events",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One test over one window, with the opinion of ``results.diagnose(window)`` on it.

    Attributes
    ----------
    result : SignificanceTest
    trust : {"valid", "valid with care", "not valid"}
    false_alarms : float
        Estimated rate at which the 5% test rejects a true null here; NaN where nobody knows.
    reason : str
    """

    result: SignificanceTest
    trust: str
    false_alarms: float
    reason: str


def one_car(results: FittedStudy, window: Window) -> bool:
    """Tell whether one event alone has a CAR over `window`: what is said is said of this event."""
    return int(results.abnormal.valid(window).sum()) == 1


def exact_law(model: LinearModel) -> bool:
    """Tell whether the t of a single CAR is exact under normality: its variance is that of the
    estimator."""
    return model.exact and model.cov_type == "nonrobust"


def shown_tests(
    results: FittedStudy, main: Window, names: Iterable[str] | None = None
) -> list[str]:
    """Return the tests to be shown: the main test, then `names` or the usual ones."""
    usual = (name for name in results.all_tests if STATISTICS[name].core)
    return list(dict.fromkeys([main_test_of(results, main), *(names or usual)]))


def cells(results: FittedStudy, window: Window, names: Iterable[str]) -> dict[str, Cell]:
    """Return the named tests over `window`, each with the opinion on it."""
    opinions = {v.test: v for v in diagnose(results, window).opinions}
    out = {}
    for name in names:
        result, view = results.test(name, window), opinions.get(name)
        if view is None:
            why = result.reason or UNJUDGED[result.n_events == 1]
            out[name] = Cell(result, NOT_VALID, np.nan, why)
        else:
            out[name] = Cell(result, view.trust, view.false_alarms, view.reason)
    return out


def rate_text(cell: Cell) -> str:
    """Return the false-alarm rate of a test here: ``about 8%``; "" where nobody knows."""
    return f"about {share(cell.false_alarms)}" if np.isfinite(cell.false_alarms) else ""
