"""The record of a test of significance, its result, its reference laws, and the registry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import require
from ..errors import ConfigError, InapplicableError, TooManyError
from ..utility import FloatArray, Registry, one_thread
from ..words import Reason, make_error, words

Alternative = Literal["two-sided", "less", "greater"]

# Names in the order of every table; a test that is not in it follows.
ORDER = (
    "bmp_kp", "bmp", "patell", "grank_t", "corrado", "generalized_sign", "cross_sectional",
    "calendar_time", "date_clustered", "wild_bootstrap", "patell_kp_regime", "patell_kp", "cda",
    "placebo_windows",
    "portfolio", "mvrm", "mvrm_wilks", "corrado_zivney", "corrado_zivney_sign", "grank_z",
    "grank_z_kp", "sign", "sign_exact", "wilcoxon", "hall", "johnson", "johnson_bootstrap",
    "jackknife", "patell_u", "rank_variance", "brown_forsythe", "event_t_regime", "event_t",
    "event_f",
    "sq", "placebo_in_space",
)  # fmt: skip
GRADES = ("clustering", "overlap", "variance", "skewness")
# Of fewer events the variance of the event days cannot be estimated from these days.
FULL_SAMPLE = 5
# Values that differ by less than this share of their size are equal but for rounding.
EQUAL = 1e-12

Role = Literal[
    "", "event t", "event rank", "placebo studies", "sign flips", "calendar time",
    "raised variance",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignificanceTest:
    """Result of one significance test over one window.

    You can unpack a result into two numbers: ``statistic, pvalue = result``.

    Attributes
    ----------
    name : str
        Name of the test, such as ``"bmp_kp"``.
    statistic, pvalue : float
        Test statistic and its p-value. If the test cannot be computed, both numbers are NaN, and
        the attribute `reason` says why.
    df : float
        Degrees of freedom, if the p-value comes from Student's t distribution. The number is
        infinite for the normal distribution, and NaN for any other distribution.
    n_events : int
        Number of events that the test uses.
    estimate : float
        Mean CAR (cumulative abnormal return) of these events over the window, as a decimal.
    alternative : {"two-sided", "less", "greater"}
        Alternative hypothesis of the p-value.
    reason : str
        Reason why there is no statistic, or why it is not reliable; "" if nothing is wrong.
    law : str
        Name of the distribution that gives the p-value, if it is neither Student's t nor normal.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["NVDA", "AMD"], "announced_at": ["2022-10-07"] * 2})
    >>> test = es.run_study(news, es.StudyConfig(prices="sample")).test("bmp", (0, 1))
    >>> isinstance(test, es.SignificanceTest), test.n_events
    (True, 2)
    >>> statistic, pvalue = test
    >>> round(statistic, 2), round(pvalue, 2)
    (-2.54, 0.24)
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
        """Name of the distribution that gives the p-value, such as ``N(0,1)``; "" = no p-value."""
        if np.isnan(self.df):
            return self.law
        return "N(0,1)" if np.isinf(self.df) else f"t({self.df:g})"

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        r"""Return the confidence interval of the mean CAR that belongs to the test, as decimals.

        Notes
        -----
        .. math:: d \pm q \, |d / S|

        - d is the mean CAR (`estimate`), and S is the test statistic (`statistic`).
        - q is the quantile (1 + level) / 2 of the distribution that gives the p-value.

        So the 95% interval excludes zero if the two-sided p-value is below 0.05. The interval is
        NaN if:

        - the test is not about the mean CAR;
        - its p-value comes from another distribution than Student's t or the normal;
        - the statistic is missing or zero, or its sign is not that of the mean CAR.
        """
        from scipy import stats

        agree = not np.isnan(self.df) and self.statistic * self.estimate > 0
        if not (REGISTERED[self.name].about_mean and agree):
            return (np.nan, np.nan)
        upper = 0.5 + level / 2
        q = stats.t.ppf(upper, self.df) if np.isfinite(self.df) else stats.norm.ppf(upper)
        half = q * abs(self.estimate / self.statistic)
        return (float(self.estimate - half), float(self.estimate + half))

    def __iter__(self) -> Iterator[float]:
        return iter((self.statistic, self.pvalue))

    def __str__(self) -> str:
        p = words().p_is(self.pvalue, 4)
        value = f"{self.distribution or 'statistic'} = {self.statistic:.2f}, {p}"
        text = value if np.isfinite(self.statistic) else "not tested"
        reason = f" ({self.reason})" * bool(self.reason)
        return f"{REGISTERED[self.name].label}: {text}, {_events(self.n_events)}{reason}"

    def _repr_html_(self) -> str:
        cells = {
            "test": REGISTERED[self.name].label, "statistic": f"{self.statistic:.4f}",
            "reference": self.distribution, "p": words().pvalue(self.pvalue, 4),
            "events": str(self.n_events), "note": self.reason,
        }  # fmt: skip
        row = "".join(f"<td>{escape(cell)}</td>" for cell in cells.values())
        head = "".join(f"<th>{name}</th>" for name in cells)
        return f"<table><tr>{head}</tr><tr>{row}</tr></table>"


class Value(NamedTuple):
    """The value of a statistic and the law that it is compared with.

    Attributes
    ----------
    statistic : float
    df : float
        Degrees of freedom of Student's t, infinite for the standard normal; NaN with another law.
    law : str
        Name of another law ("exact", "sign flips"); its two tail probabilities follow.
    lower, upper : float
        P(T <= statistic) and P(T >= statistic) under that law. A statistic without direction, such
        as an F, has no `lower`: p is then `upper` for every alternative.
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
        """Return the p-value; two-sided is twice the smaller tail, at most 1, of a law with two."""
        if not self.law:
            return pvalue(self.statistic, self.df, alternative)
        lower, two_sided = self.lower, 2 * min(self.lower, self.upper)
        if np.isnan(lower):
            lower = two_sided = self.upper
        return min(1.0, _tail(lower, self.upper, two_sided, alternative))


Compute: TypeAlias = Callable[[AbnormalReturns, Window], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One test: its formula and its traits. Call it with abnormal returns and a window.

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
        Whether summaries show it without being asked; tables hold all tests.
    skewed : tuple of float
        False-alarm rates at skewness 0.7 and 2 (docs/methods/size.md); empty if about 5%.
    pairs_next_session : bool
        Whether it pairs exchanges that are never open together a session apart.
    uses_residuals : bool
        Whether it compares the window with estimation residuals; a run does not repeat it on other
        dates.
    standardised : bool
        Whether it needs each event's own error: short histories leave (``min_history``).
    of_every_event : bool
        Whether its null is of every single event, so that raised variance rejects it.
    for_skewness : bool
        Whether skewness does not harm it; of very many events it is computed where there is some.
    scales_variance : bool
        Whether it multiplies variances by what they were just before the event.
    main_from : int, optional
        Smallest number of events of which it is the main test.
    role : str
        Its use in other analyses: "event t" and "event rank" stand in the pages of single events,
        "placebo studies" is compared there by default, "sign flips" has a paragraph of its own,
        "raised variance" says whether single events moved more than usual.
    model : str
        The only model of normal returns for which it is defined; "" for any.
    """

    name: str
    label: str
    compute: Compute
    minimum: int
    clustering: str
    overlap: str
    variance: str
    skewness: str
    null: str
    reference: str
    source: str
    about_mean: bool = True
    per_event: bool = False
    core: bool = False
    skewed: tuple[float, ...] = ()
    pairs_next_session: bool = False
    uses_residuals: bool = False
    standardised: bool = False
    of_every_event: bool = False
    for_skewness: bool = False
    scales_variance: bool = False
    main_from: int | None = None
    role: Role = ""
    model: str = ""

    def __call__(
        self, abnormal: AbnormalReturns, window: Window, *, alternative: Alternative = "two-sided"
    ) -> SignificanceTest:
        """Return the test of the events that are valid for `window`, NaN with a reason if none.

        Parameters
        ----------
        abnormal : AbnormalReturns
        window : Window
        alternative : {"two-sided", "less", "greater"}

        Raises
        ------
        ConfigError
            For an unknown alternative, or a window beyond the event window.
        """
        valid = abnormal.sample(window)
        sample = abnormal.tested(window) if self.standardised else valid
        n = len(sample)
        estimate = sample.mean_car(window)
        key = ("value", self.name, window)
        value = sample.cached(key, lambda: self._value(sample, window))
        is_tested = not np.isnan(value.statistic)
        p = value.pvalue(alternative) if is_tested else np.nan
        reason = value.caution
        if not n and len(valid):
            reason = Reason("short_histories", n=len(valid), needed=valid.least_history)
        if is_tested and n < self.minimum:
            few = Reason("few_events", n=n, needed=self.minimum)
            reason = f"{few}; {reason}" if reason else few
        return SignificanceTest(
            self.name, float(value.statistic), p, float(value.df), n, estimate, alternative, reason,
            value.law,
        )  # fmt: skip

    def _value(self, sample: AbnormalReturns, window: Window) -> Value:
        """Return the value of the statistic, NaN with the reason as caution where it has none."""
        reason: str = Reason("not_finite")
        try:
            self._require(sample)
            with one_thread():
                value = self.compute(sample, window)
            if np.isfinite(value.statistic):
                return value
        except InapplicableError as error:
            reason = error.args[0]
        except TooManyError as error:
            reason = str(error)
        return Value(np.nan, np.nan, caution=reason)

    def _require(self, sample: AbnormalReturns) -> None:
        """Raise InapplicableError where the traits of the test exclude a sample."""
        require(len(sample) > 0, "no_complete_event")
        alone = "one_event_of_table" if self.role == "event t" else "one_event_only"
        require(not self.per_event or len(sample) == 1, alone, n=len(sample))
        fits = not self.model or sample.model == self.model
        require(fits, "needs_model" if self.per_event else "for_model_only", model=self.model)


class Statistics(Registry[Statistic]):
    """All tests, by name; those of other packages are found as well.

    Examples
    --------
    >>> from eventstudy import STATISTICS
    >>> STATISTICS.main(3), STATISTICS.main(50)
    ('patell_kp_regime', 'bmp_kp')
    """

    def main(self, n_events: int) -> str:
        """Return the name of the test that decides, by the number of events alone.

        Notes
        -----
        It is the test with the largest `main_from` of at most `n_events`. Of one to four the
        variance of the event days cannot be estimated from these days, so it is that of the
        estimation days, raised where returns varied more just before. Five or more have BMP
        adjusted for correlation (docs/methods/answer.md).
        """
        sizes = {test.main_from: name for name, test in self.items() if test.main_from}
        return sizes[max(size for size in sizes if size <= max(n_events, 1))]

    def for_role(self, role: Role) -> str:
        """Return the name of the built-in test with a role in other analyses."""
        return next(name for name, test in self.items() if test.role == role)


# Names that textbooks and other programs use.
MEANT = {
    "ttest": "cross_sectional", "t_test": "cross_sectional", "t": "cross_sectional",
    "csect_t": "cross_sectional", "boehmer": "bmp", "stdcsect": "bmp", "kp": "bmp_kp",
    "kolari_pynnonen": "bmp_kp", "patell_z": "patell", "rank": "corrado", "rank_z": "corrado",
    "cowan": "generalized_sign", "gsign": "generalized_sign", "grank": "grank_t",
    "jaffe": "calendar_time", "crude_dependence": "cda", "skewness_adjusted": "hall",
}  # fmt: skip
REGISTERED = Statistics("test", "eventstudy.tests", ORDER, meant=MEANT)


def statistic(
    name: str, *, robust: tuple[str, str, str, str], **traits: Any
) -> Callable[[Compute], Compute]:
    """Return a decorator that files a function as a test and leaves it as it is.

    Parameters
    ----------
    name : str
        Canonical name.
    robust : tuple of str
        Grades of clustering, overlap, variance and skewness.
    **traits
        Further attributes of :class:`Statistic`: `label`, `minimum`, `null`, `reference` and
        `source` are needed, the others have defaults.
    """

    def file(compute: Compute) -> Compute:
        fields = {**traits, **dict(zip(GRADES, robust, strict=True))}
        entry = Statistic(name=name, compute=compute, **fields)
        REGISTERED.register(name, compute.__module__)(entry)
        return compute

    return file


def pvalue(statistic: float, df: float, alternative: Alternative = "two-sided") -> float:
    """Return the tail probability under Student's t, or the normal law if `df` is infinite.

    Parameters
    ----------
    statistic, df : float
    alternative : {"two-sided", "less", "greater"}

    Raises
    ------
    ConfigError
        For another alternative.

    Examples
    --------
    >>> round(pvalue(2.0, 10), 4)
    0.0734
    >>> round(pvalue(-1.96, float("inf"), "less"), 4)
    0.025
    """
    from scipy.special import ndtr, stdtr

    def below(x: float) -> float:
        return float(ndtr(x) if math.isinf(df) else stdtr(df, x))

    if alternative == "two-sided":
        return min(1.0, 2 * below(-abs(statistic)))
    return _tail(below(statistic), below(-statistic), np.nan, alternative)


def _tail(less: float, greater: float, two_sided: float, alternative: str) -> float:
    """Return the probability of an alternative; ConfigError for an unknown one."""
    tails = {"two-sided": two_sided, "less": less, "greater": greater}
    if alternative not in tails:
        raise make_error(ConfigError, "wrong.alternative", value=alternative)
    return tails[alternative]


def t_of_mean(values: FloatArray) -> Value:
    r"""Return the t-statistic of the mean of N values, with N-1 degrees of freedom.

    Raises
    ------
    InapplicableError
        For fewer than two values, or values that do not differ.

    Notes
    -----
    .. math:: t = \frac{\bar x}{s / \sqrt N}, \quad s^2 = \frac{1}{N-1} \sum_i (x_i - \bar x)^2

    Examples
    --------
    >>> value = t_of_mean(np.array([-0.0215, -0.0145, -0.0295]))
    >>> round(value.statistic, 7), value.df
    (-5.0384615, 2.0)
    """
    n = len(values)
    require(n >= 2, "events_for_variance", n=n, needed=2)
    sd = values.std(ddof=1)
    require(not sd <= EQUAL * np.abs(values).max(), "same_value_of_events")
    return Value(float(values.mean() / (sd / np.sqrt(n))), float(n - 1))


def f_value(statistic: float, df1: float, df2: float) -> Value:
    """Return an F-statistic with its upper tail; it has no other tail of interest.

    Parameters
    ----------
    statistic : float
    df1, df2 : float
        Degrees of freedom of Fisher's F.
    """
    from scipy.special import fdtrc

    law, upper = f"F({df1:g},{df2:g})", float(fdtrc(df1, df2, statistic))
    return Value(float(statistic), np.nan, law, upper=upper)


def _events(n: int) -> str:
    return f"{n} event{'s' * (n != 1)}"
