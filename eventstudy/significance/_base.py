"""What every test of significance shares: its record, its reference distribution, its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..errors import ConfigError, TooManyError
from ..utility.blas import one_thread
from ..utility.numbers import p_is
from ..utility.numbers import pvalue as pvalue_text
from ..utility.registry import Registry
from ..utility.typing import Alternative, FloatArray, IntArray


class InapplicableError(Exception):
    """Raised by a statistic that is undefined for a sample; becomes the reason of the result."""


@dataclass(frozen=True, slots=True)
class SignificanceTest:
    """Result of one test over one window; unpacks as ``statistic, pvalue``.

    Attributes
    ----------
    name : str
        Canonical name of the test.
    statistic, pvalue : float
        NaN if the test does not apply; `reason` then says why.
    df : float
        Degrees of freedom of Student's t; infinite for the standard normal; NaN if not applicable.
    n_events : int
        Events that entered.
    estimate : float
        Mean CAR over the window (decimal).
    alternative : {"two-sided", "less", "greater"}
    reason : str
        Why there is no statistic, or why the one given should not be relied on; "" otherwise.
    law : str
        The reference law where it is neither t nor normal.
    """

    name: str
    statistic: float
    pvalue: float
    df: float
    n_events: int
    estimate: float
    alternative: Alternative = "two-sided"
    reason: str = ""
    law: str = ""

    @property
    def distribution(self) -> str:
        """The reference distribution in words: ``N(0,1)``, ``t(39)``, ``exact``; "" if not
        applicable."""
        if np.isnan(self.df):
            return self.law
        return "N(0,1)" if np.isinf(self.df) else f"t({self.df:g})"

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval for the mean CAR by inversion of the test: estimate -+ q |estimate / statistic|.

        NaN for tests that are not about the mean, and where the statistic is missing, zero, or of
        another sign than the mean (it can be, since the statistic weighs events by their
        precision).
        """
        from scipy import stats

        agree = not np.isnan(self.df) and self.statistic * self.estimate > 0
        if not (STATISTICS[self.name].about_mean and agree):
            return (np.nan, np.nan)
        se = abs(self.estimate / self.statistic)
        q = (
            stats.t.ppf(0.5 + level / 2, self.df)
            if np.isfinite(self.df)
            else stats.norm.ppf(0.5 + level / 2)
        )
        return (float(self.estimate - q * se), float(self.estimate + q * se))

    def __iter__(self) -> Iterator[float]:
        return iter((self.statistic, self.pvalue))

    def __str__(self) -> str:
        counted = f"{self.n_events} event{'s' * (self.n_events != 1)}"
        value = f"{self.distribution or 'statistic'} = {self.statistic:.2f}, {p_is(self.pvalue, 4)}"
        found = value if np.isfinite(self.statistic) else "not tested"
        return f"{STATISTICS[self.name].label}: {found}, {counted}" + f" ({self.reason})" * bool(
            self.reason
        )

    def _repr_html_(self) -> str:
        cells = (
            STATISTICS[self.name].label,
            f"{self.statistic:.4f}",
            self.distribution,
            pvalue_text(self.pvalue, 4),
        )
        row = "".join(f"<td>{escape(c)}</td>" for c in (*cells, str(self.n_events), self.reason))
        head = "".join(
            f"<th>{h}</th>" for h in ("test", "statistic", "reference", "p", "events", "note")
        )
        return f"<table><tr>{head}</tr><tr>{row}</tr></table>"


class Value(NamedTuple):
    """What a statistic computes: its value and the law it is compared with.

    Attributes
    ----------
    statistic : float
    df : float
        Degrees of freedom of Student's t, infinite for the standard normal; NaN with a law of its
        own.
    law : str
        Name of another law ("exact", "sign flips"); its two tail probabilities follow.
    lower, upper : float
        P(T <= statistic) and P(T >= statistic) under that law. A statistic that knows no direction,
        such as an F, has no `lower`: p is then `upper` for every alternative.
    caution : str
        Why the value should not be relied on; "" otherwise.
    """

    statistic: float
    df: float
    law: str = ""
    lower: float = np.nan
    upper: float = np.nan
    caution: str = ""

    def pvalue(self, alternative: Alternative) -> float:
        """Return the p-value; two-sided is twice the smaller tail, at most 1, of a law that has
        two."""
        if not self.law:
            return pvalue(self.statistic, self.df, alternative)
        tails = {
            "less": self.lower,
            "greater": self.upper,
            "two-sided": 2 * min(self.lower, self.upper),
        }
        if np.isnan(self.lower):
            tails = dict.fromkeys(tails, self.upper)
        if alternative not in tails:
            raise ConfigError(
                "unknown alternative", value=alternative, remedy="use " + ", ".join(tails)
            )
        return min(1.0, tails[alternative])


@dataclass(frozen=True, slots=True)
class Statistic:
    """One test: what it computes and how far to trust it. Call it with a sample and a window.

    Attributes
    ----------
    name, label : str
        Canonical name; name in words.
    compute : callable
        (events valid for the window, window) -> Value; raises InapplicableError.
    minimum : int
        Fewer events than this are reported with a warning.
    clustering, overlap, variance, skewness : str
        "yes", "no", "weak", "fair" or "n/a": robust to cross-correlation of events on one date, to
        overlapping windows of different dates, to event-induced variance, to skewness.
    null, reference, source : str
        Null hypothesis, reference distribution, and the paper.
    about_mean : bool
        Whether inverting the test gives an interval for the mean CAR.
    per_event : bool
        Whether it tests single events instead of a sample.
    core : bool
        Whether summaries show it unasked; tables hold all tests.
    pairs_next_session : bool
        Whether it pairs exchanges that are never open together a session apart.
    uses_residuals : bool
        Whether it compares the window with estimation residuals, which lack days at a price limit.
    of_every_event : bool
        Whether its null is of every single event, so that raised variance rejects it.
    for_skewness : bool
        Whether skewness does not harm it; of very many events it is computed where there is some.
    skewed : tuple of float
        False-alarm rates of the 5% test at skewness 0.7 and 2 (docs/methods.md, 5); empty if about
        5%.
    """

    name: str
    label: str
    compute: Callable[[AbnormalReturns, Window], Value]
    minimum: int
    clustering: str
    overlap: str
    variance: str
    skewness: str
    null: str
    reference: str
    source: str
    about_mean: bool
    per_event: bool
    core: bool
    skewed: tuple[float, ...]
    pairs_next_session: bool
    uses_residuals: bool
    of_every_event: bool
    for_skewness: bool

    def __call__(
        self, abnormal: AbnormalReturns, window: Window, *, alternative: Alternative = "two-sided"
    ) -> SignificanceTest:
        """Test the events of `abnormal` that are valid for `window`; never raises for lack of
        data."""
        sample = abnormal.sample(window)
        n = len(sample)
        estimate = float(sample.car(window).mean()) if n else np.nan
        key = ("value", self.name, window)
        if key not in sample.memo:
            sample.memo[key] = self._value(sample, window)
        value: Value | str = sample.memo[key]
        if isinstance(value, str):
            return SignificanceTest(
                self.name, np.nan, np.nan, np.nan, n, estimate, alternative, value
            )
        few = (
            ""
            if n >= self.minimum
            else f"{n} event{'s' * (n != 1)}, {self.minimum} needed to rely on it"
        )
        reason = "; ".join(filter(None, (few, value.caution)))
        p = value.pvalue(alternative)
        return SignificanceTest(
            self.name,
            float(value.statistic),
            p,
            float(value.df),
            n,
            estimate,
            alternative,
            reason,
            value.law,
        )

    def _value(self, sample: AbnormalReturns, window: Window) -> Value | str:
        """Return the value of the statistic, or why there is none."""
        if len(sample) == 0:
            return "no event has all days of the window"
        try:
            with one_thread():
                value = self.compute(sample, window)
        except (InapplicableError, TooManyError) as error:
            return str(error)
        if not np.isfinite(value.statistic):
            return "the statistic is not finite: the abnormal returns do not vary"
        return value


STATISTICS: Registry[Statistic] = Registry("test")


def statistic(
    name: str,
    *,
    label: str,
    minimum: int,
    robust: tuple[str, str, str, str],
    null: str,
    reference: str,
    source: str,
    about_mean: bool = True,
    per_event: bool = False,
    core: bool = False,
    skewed: tuple[float, ...] = (),
    pairs_next_session: bool = False,
    uses_residuals: bool = False,
    of_every_event: bool = False,
    for_skewness: bool = False,
) -> Callable[
    [Callable[[AbnormalReturns, Window], Value]], Callable[[AbnormalReturns, Window], Value]
]:
    """File a statistic; `robust` grades clustering, overlap, variance and skewness, in that
    order."""

    def add(
        compute: Callable[[AbnormalReturns, Window], Value],
    ) -> Callable[[AbnormalReturns, Window], Value]:
        entry = Statistic(
            name,
            label,
            compute,
            minimum,
            *robust,
            null,
            reference,
            source,
            about_mean,
            per_event,
            core,
            skewed,
            pairs_next_session,
            uses_residuals,
            of_every_event,
            for_skewness,
        )
        STATISTICS.register(name)(entry)
        return compute

    return add


def pvalue(statistic: float, df: float, alternative: Alternative = "two-sided") -> float:
    """Tail probability under Student's t (or the standard normal if `df` is infinite)."""
    from scipy.special import ndtr, stdtr

    def below(x: float) -> float:
        return float(ndtr(x) if np.isinf(df) else stdtr(df, x))

    if alternative == "two-sided":
        return min(1.0, 2 * below(-abs(statistic)))
    if alternative == "less":
        return below(statistic)
    if alternative == "greater":
        return below(-statistic)
    raise ConfigError(
        "unknown alternative", value=alternative, remedy="use two-sided, less or greater"
    )


def pvalues(statistics: FloatArray, df: FloatArray | IntArray) -> FloatArray:
    """Two-sided tail probabilities of statistics under Student's t, (n,); NaN where one is not
    finite."""
    from scipy.special import stdtr

    finite = np.where(np.isfinite(statistics), statistics, np.nan)
    p: FloatArray = np.minimum(1.0, 2 * stdtr(np.asarray(df, dtype=float), -np.abs(finite)))
    return p
