"""What the report says in several places: intervals, and which test counts where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.verdicts import NOT_HERE, RECOMMENDED, USABLE
from ..significance import STATISTICS, SignificanceTest
from ..windows import Window

if TYPE_CHECKING:
    from ..models import LinearModel
    from ..results import EventStudyResults

# What the t of a single CAR is, by whether its variance is that of the estimator.
LAW = {True: "exact under normality", False: "approximate, as is its variance"}
# Why a test has no verdict, by whether there is one event.
UNJUDGED = {True: "one event, and this is a test of several", False: "not judged for so many events"}


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean CAR with its 95% interval (decimal); NaN where there is none.

    Attributes
    ----------
    estimate, se, low, high, df : float
    corrected : bool
        Whether the standard error allows for the correlation of the events.
    """

    estimate: float
    se: float
    low: float
    high: float
    df: float
    corrected: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One test over one window, with the verdict of ``results.diagnose(window)`` on it.

    Attributes
    ----------
    result : SignificanceTest
    trust : {"recommended", "usable", "doubtful", "not here"}
    reason : str
    """

    result: SignificanceTest
    trust: str
    reason: str

    @property
    def valid(self) -> bool:
        """Whether the p-value may be relied on."""
        return self.trust in (RECOMMENDED, USABLE) and not self.result.reason

    @property
    def faults(self) -> list[str]:
        """What speaks against the test here, beside what its own result says."""
        own = self.result.reason.split("; ")
        against = [] if self.trust in (RECOMMENDED, USABLE) else self.reason.split("; ")
        return [why for why in against if why not in own]


def interval(results: EventStudyResults, window: Window) -> Interval:
    """Return the mean CAR over `window` and its 95% interval.

    Notes
    -----
    For several events the standard error is the cross-sectional one times the factor by which BMP-KP
    divides BMP, sqrt((1 + (N-1) r) / (1 - r)). Dividing the mean CAR by the statistic of BMP-KP instead
    would give no width at all where the mean CAR is near zero and the mean standardised CAR is not.
    """
    from scipy.special import stdtrit

    sample = results.abnormal.sample(window)
    car = sample.car(window)
    if len(car) == 0:
        return Interval(np.nan, np.nan, np.nan, np.nan, np.nan, corrected=False)
    corrected = False
    if len(car) == 1:
        se, df = float(np.sqrt(sample.var_car(window)[0])), float(sample.df_resid[0])
    else:
        bmp, kp = (results.test(name, window).statistic for name in ("bmp", "bmp_kp"))
        corrected = bool(np.isfinite(bmp) and np.isfinite(kp) and kp != 0)
        se = float(car.std(ddof=1) / np.sqrt(len(car)) * (bmp / kp if corrected else 1.0))
        df = float(len(car) - 1)
    mean, half = float(car.mean()), float(stdtrit(df, 0.975)) * se
    return Interval(mean, se, mean - half, mean + half, df, corrected)


def interval_known(results: EventStudyResults, window: Window) -> bool:
    """Tell whether the interval of the mean may be shown: not where BMP-KP, whose variance it has, is not.

    One CAR has the interval of its own forecast, whether or not there are events without one.
    """
    return one_car(results, window) or not results.test("bmp_kp", window).reason


def one_car(results: EventStudyResults, window: Window) -> bool:
    """Tell whether one event alone has a CAR over `window`: what is said is said of this event."""
    return int(results.abnormal.valid(window).sum()) == 1


def exact_law(model: LinearModel) -> bool:
    """Tell whether the t of a single CAR is exact under normality: its variance is that of the estimator."""
    return model.exact and model.cov_type == "nonrobust"


def shown_tests(results: EventStudyResults, main: Window, names: Iterable[str] | None = None) -> list[str]:
    """Return the tests to be shown: those that the answer rests on, then `names` or the usual ones."""
    found = results.diagnose(main)
    lead = [*(found.recommended or (results.recommended_for(main),)), *found.if_not_raised]
    usual = (name for name in results.all_tests if STATISTICS[name].core)
    return list(dict.fromkeys([*lead, *(names or usual)]))


def cells(results: EventStudyResults, window: Window, names: Iterable[str]) -> dict[str, Cell]:
    """Return the named tests over `window` with their verdicts."""
    verdicts = {v.test: v for v in results.diagnose(window).verdicts}
    found = {}
    for name in names:
        result, own = results.test(name, window), verdicts.get(name)
        why = own.reason if own else result.reason or UNJUDGED[result.n_events == 1]
        found[name] = Cell(result, own.trust if own else NOT_HERE, why)
    return found
