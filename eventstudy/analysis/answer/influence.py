"""What the answer owes to single announcements, dates, clusters of dates and firms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import Limits, WeightedSums
from ...errors import InapplicableError
from ...fitting import FittedStudy, awaits_days
from ...significance import EQUAL, FULL_SAMPLE, DateClusters, decisive_scars, scar_variance
from ...utility import BoolArray, Day, FloatArray, IntArray
from ...words import LEVEL, Paragraph, capitalised, cell_text, say
from ..interval import ROBUST, Interval, inflation, robust_means

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# A set carries the answer if its events lie so many standard errors from the others, and the
# estimate falls to this share without them; one hides it if the estimate grows by the same share.
FAR, SHARE = 2.0, 0.5
# From one p to the other its range over leave-outs is shown.
NEAR = (0.03, 0.15)
NAMED = 5
# Days that a cluster of dates with such a name has at most.
STRETCHES = {"week": 7, "fortnight": 14}


@dataclass(frozen=True, slots=True)
class Caveat:
    """The most important warning about a verdict: a code of the catalogue, and its facts."""

    code: str
    facts: Mapping[str, Any]

    def sentence(self, **more: object) -> str:
        """Return the caveat in words; a set of events is named by its kind.

        Parameters
        ----------
        **more
            Facts beside its own.
        """
        facts, named = {**more, **self.facts}, {}
        if kind := facts.get("kind"):
            first, last = (dt.date.fromisoformat(facts[end]) for end in ("first", "last"))
            days = (last - first).days
            stretch = next((name for name, longest in STRETCHES.items() if days < longest), kind)
            noun = say(f"caveat.kinds.{stretch if kind == 'cluster' else kind}")
            named = {"one": noun, "what": say(f"caveat.{kind}", **facts)}
        return say(f"caveat.{self.code}", **facts, **named)


@dataclass(frozen=True, slots=True)
class Names:
    """Names of n events: ids, tickers, and the companies of their rows and of all their events."""

    ids: Sequence[str]
    tickers: Sequence[str]
    companies: Sequence[str]
    firms: Sequence[str]

    @classmethod
    def of(cls, study: FittedStudy, rows: BoolArray) -> Names:
        """Return the names of some events; without a company a firm has its ticker.

        Parameters
        ----------
        study : FittedStudy
        rows : (N,) bool array
            Of all its events.
        """
        events = study.events[rows]
        tickers = events["ticker"].astype(str).tolist()
        companies = tickers
        if "company" in events:
            cells = zip(events["company"], tickers, strict=True)
            companies = [cell_text(cell) or ticker for cell, ticker in cells]
        firms = [study.firms[i] for i in np.flatnonzero(rows).tolist()]
        return cls(events["event_id"].astype(str).tolist(), tickers, companies, firms)


Kind = Literal["event", "date", "cluster", "firm"]


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """The main result without one set of events: an event, a date, a cluster of dates, or a firm.

    Attributes
    ----------
    kind : {"event", "date", "cluster", "firm"}
        What is left out. A cluster has dates whose windows overlap.
    name : str
        Event id, ISO date, first and last ISO date with a slash between them, or ticker. Of a firm
        with several tickers it is that of its first event.
    firm : str
        The company of the event or firm that is left out; "" for a date or a cluster.
    first, last : str
        ISO dates of the first and the last day 0 among the events that are left out.
    n_left_out, n_events : int
        Number of events that are left out, and that remain.
    effect : Interval
        The effect of the remaining events. The test is the main test of all events, with a new
        estimate of the correlation between the events.
    pvalue : float
        Two-sided p-value of this effect.
    distance : float
        Mean standardised CAR of the events that are left out, minus that of the remaining events,
        in standard errors. NaN for up to four events.
    carries : bool
        Whether the verdict depends on these events alone, as docs/methods/influence.md defines it.
    """

    kind: Kind
    name: str
    firm: str
    first: Day
    last: Day
    n_left_out: int
    n_events: int
    effect: Interval
    pvalue: float
    distance: float = np.nan
    carries: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What names the set in a sentence."""
        names = {"kind": self.kind, "firm": self.firm, "first": self.first, "last": self.last}
        return {**names, "n": self.n_left_out}

    def __str__(self) -> str:
        return say("caveat.without", what=say(f"caveat.{self.kind}", **self.facts))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The main result without one event: its estimate, 95% interval and p-value."""

    event_id: str
    estimate: float
    ci_low: float
    ci_high: float
    pvalue: float

    @classmethod
    def of(cls, leave_out: LeaveOut) -> LeftOut:
        """Return the main result without one event in short."""
        effect = leave_out.effect
        ends = effect.ci_low, effect.ci_high
        return cls(leave_out.name, effect.estimate, *ends, leave_out.pvalue)


@dataclass(frozen=True)
class Influence(Paragraph):
    """How the main result over one window changes without single events, dates or firms.

    Attributes
    ----------
    window : Window
    n_events : int
        Number of events in the main result.
    effect : Interval
        Effect of all events.
    pvalue : float
        p-value of the main test with all events.
    leave_outs : tuple of LeaveOut
        The result without each event, and without each date, cluster of dates and firm with several
        events. In results.json, only the results that come nearest to another verdict.
    p_low, p_high : float
        Smallest and largest p-value without one event.
    half : int
        Smallest number of events whose standardised CARs add up to half of the sum over all events.
    half_events : tuple of str
        Ids of the largest of these events, at most five.
    median, trimmed, winsorised : Interval, optional
        Median of the CARs, mean without the 10% smallest and 10% largest CARs, and mean with these
        CARs set to the nearest of the others. None for fewer than five events.
    r_kept : bool
        Whether the correlation between the events is not estimated again without some events. True
        for more than 2,000 events.
    omissions : int
        Number of sets of events that were left out, each by itself.
    """

    window: Window
    n_events: int
    effect: Interval
    pvalue: float
    leave_outs: tuple[LeaveOut, ...] = ()
    p_low: float = np.nan
    p_high: float = np.nan
    half: int = 0
    half_events: tuple[str, ...] = ()
    median: Interval | None = None
    trimmed: Interval | None = None
    winsorised: Interval | None = None
    r_kept: bool = False
    omissions: int = 0

    @property
    def carried_by(self) -> LeaveOut | None:
        """The set of events that alone decides the verdict; None if there is no such set."""
        return next((row for row in self.leave_outs if row.carries), None)

    @property
    def moves_most(self) -> LeaveOut | None:
        """The event without which the effect changes most; None if it changes little.

        A change is little up to half of the effect, or up to half of its standard error.
        """
        events = [row for row in self.leave_outs if row.kind == "event"]
        whole = self.effect
        little = max(abs(whole.estimate), whole.se) / 2
        most = max(events, key=lambda row: abs(row.effect.estimate - whole.estimate), default=None)
        if most and abs(most.effect.estimate - whole.estimate) > little:
            return most
        return None

    @property
    def is_near_border(self) -> bool:
        """Whether the report shows the range of p-values without single events, as p is near 5%."""
        low, high = NEAR
        is_carried = self.pvalue < LEVEL and self.carried_by is not None
        return low <= self.pvalue < high and self.n_events >= FULL_SAMPLE and not is_carried

    def brief(self) -> Influence:
        """Return a copy with the leave-outs that the report shows; all for up to four events."""
        if self.n_events < FULL_SAMPLE:
            return self
        kinds = dict.fromkeys(row.kind for row in self.leave_outs)
        each = (self._nearest([o for o in self.leave_outs if o.kind == kind]) for kind in kinds)
        shown = dict.fromkeys(row for row in (*each, self.carried_by, self.moves_most) if row)
        return replace(self, leave_outs=tuple(shown))

    @property
    def rows(self) -> tuple[LeaveOut, ...]:
        """The event, dates and firm nearest to another verdict; all of up to four events."""
        listed = self.brief().leave_outs
        if self.n_events < FULL_SAMPLE:
            return listed
        sign = 1 if self.pvalue < LEVEL else -1
        nearest: dict[str, LeaveOut] = {}
        for row in sorted(listed, key=lambda row: (row.carries, sign * row.pvalue)):
            nearest["date" if row.kind == "cluster" else row.kind] = row
        chosen = [*nearest.values(), self.moves_most]
        return tuple(row for row in listed if any(row is one for one in chosen))

    def caveat(self) -> tuple[str, dict[str, Any]]:
        """Return the code and the facts of the warning about single sets of events."""
        differs = self.pvalue < LEVEL
        row = self.carried_by or self._nearest(self.leave_outs)
        if row is None or not np.isfinite(self.pvalue):
            return "", {}
        facts = {**row.facts, "value": row.effect.estimate, "p": row.pvalue}
        if row.carries:
            facts["omissions"] = self.omissions
            return ("carried" if differs else "hidden"), facts
        if (row.pvalue < LEVEL) == differs:
            if moved := self.moves_most:
                return "moved", {**moved.facts, "value": moved.effect.estimate, "p": moved.pvalue}
            return "stands", facts
        # In every tenth study without an effect some leave-out is significant: that is no caveat.
        return ("turned", facts) if differs else ("", {})

    @classmethod
    def of(cls, study: FittedStudy, window: Window, effect: Interval, pvalue: float) -> Influence:
        """Return what an answer owes to single events, dates, clusters and firms.

        Parameters
        ----------
        study : FittedStudy
        window : Window
        effect : Interval
            Of all events over this window.
        pvalue : float
            Of the main test.

        Returns
        -------
        Influence
            With every leave-out, computed once for a study; with none while events wait for days.
        """

        def measured() -> Influence:
            sample = study.abnormal.tested(window)
            names, factor = Names((), (), (), ()), 1.0
            # Of one event nothing can be left out.
            if awaits_days(study, window):
                return cls(window, len(sample), effect, np.nan)
            if len(sample) > 1:
                names = Names.of(study, study.abnormal.in_tests(window))
                factor = inflation(sample, window)
            return measure_influence(sample, window, names, effect, pvalue, factor)

        return study.remember(("influence", window), measured)

    def frame(self) -> pd.DataFrame:
        """Return a table with one row per set of events that is left out; effects are decimals."""
        rows = [{**asdict(row), **asdict(row.effect)} for row in self.leave_outs]
        return pd.DataFrame(rows).drop(columns=["effect", "df"], errors="ignore")

    def __str__(self) -> str:
        code, facts = self.caveat()
        if code:
            return Caveat(code, facts).sentence()
        if self.n_events > 1 and not self.leave_outs:
            return f"{capitalised(say('reason.days_to_come'))}."
        if self.n_events < FULL_SAMPLE:
            return say("caveat.rows", n=self.n_events)
        return say("caveat.range", low=self.p_low, high=self.p_high)

    def _nearest(self, rows: Sequence[LeaveOut]) -> LeaveOut | None:
        tested = [row for row in rows if np.isfinite(row.pvalue)]
        chosen = max if self.pvalue < LEVEL else min
        return chosen(tested, key=lambda row: row.pvalue) if tested else None


def measure_influence(
    sample: AbnormalReturns, window: Window, names: Names, effect: Interval, pvalue: float,
    factor: float = 1.0,
) -> Influence:  # fmt: skip
    """Return what the answer of a sample owes to single events, dates, clusters and firms.

    Parameters
    ----------
    sample : AbnormalReturns
        n events that the main test takes.
    window : Window
    names : Names
        Of these events.
    effect : Interval
        Of all of them.
    pvalue : float
        Of the main test.
    factor : float
        By which correlation widens standard errors, for the robust means.

    Returns
    -------
    Influence
    """
    n = len(sample)
    z = sample.scar(window)
    signed = np.sort(z * np.sign(z.sum()))[::-1]
    half = int(np.searchsorted(np.cumsum(signed), abs(z.sum()) / 2 - EQUAL) + 1) if n > 1 else 0
    largest = np.argsort(-z * np.sign(z.sum()), kind="stable")[: min(half, NAMED)]
    means = robust_means(sample.car(window), factor) if n >= FULL_SAMPLE else [None] * 3
    rows = leave_outs(sample, window, names) if n > 1 else ()
    single = [row.pvalue for row in rows if row.kind == "event" and np.isfinite(row.pvalue)]
    return Influence(
        window, n, effect, pvalue, _marked(rows, effect.estimate, pvalue, n),
        min(single, default=np.nan), max(single, default=np.nan), half,
        tuple(str(names.ids[i]) for i in largest), **dict(zip(ROBUST, means, strict=True)),
        r_kept=n > Limits.PAIRWISE, omissions=len(rows),
    )  # fmt: skip


def leave_outs(sample: AbnormalReturns, window: Window, names: Names) -> tuple[LeaveOut, ...]:
    """Return the answer without each event, and each date, cluster and firm of several events.

    Parameters
    ----------
    sample : AbnormalReturns
        n > 1 events that the main test takes.
    window : Window
    names : Names

    Returns
    -------
    tuple of LeaveOut
        None of them is marked as carrying the answer.
    """
    labels, sets = list_sets(sample, window, names)
    numbers = np.array(estimates_without(sample, window, sets)).T.tolist()
    days = sample.windows.sessions.astype("datetime64[D]").astype(str)
    out = []
    for k, ((kind, name), (*effect, p, distance)) in enumerate(zip(labels, numbers, strict=True)):
        rows = sets.indices[sets.indptr[k] : sets.indptr[k + 1]]
        first, last = days[np.sort(sample.windows.day0[rows])[[0, -1]]].tolist()
        companies = {"event": names.companies, "firm": names.firms}.get(kind)
        firm = companies[rows[0]] if companies else ""
        n = len(rows)
        interval = Interval.of(*effect)
        row = LeaveOut(kind, name, firm, first, last, n, len(sample) - n, interval, p, distance)
        out.append(row)
    return tuple(out)


def list_sets(
    sample: AbnormalReturns, window: Window, names: Names
) -> tuple[list[tuple[Kind, str]], csr_array]:
    """Return kind and name of each set of events to leave out, and its events.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    window : Window
    names : Names

    Returns
    -------
    labels : list of (str, str)
    sets : (G, n) sparse array
        1 for the events of a set. Each set comes once; none is of all events.
    """
    from scipy.sparse import csr_array

    n, day0 = len(sample), sample.windows.day0
    labels: list[tuple[Kind, str]] = [("event", str(name)) for name in names.ids]
    members = list(np.arange(n)[:, None])
    seen: set[bytes] = set()
    clusters = DateClusters.merged(sample, window).number
    leading: dict[str, str] = {}
    for firm, ticker in zip(names.firms, names.tickers, strict=True):
        leading.setdefault(firm, ticker)
    listings = np.array([leading[firm] for firm in names.firms])
    by_kind: dict[Kind, Any] = {"date": day0, "cluster": clusters, "firm": listings}
    days = sample.windows.sessions.astype("datetime64[D]")
    for kind, values in by_kind.items():
        for rows in _groups_of(values):
            if 1 < len(rows) < n and rows.tobytes() not in seen:
                seen.add(rows.tobytes())
                first = days[day0[rows].min()]
                last = days[day0[rows].max()]
                name = {"date": f"{first}", "cluster": f"{first}/{last}"}.get(kind)
                labels.append((kind, name or str(names.tickers[rows[0]])))
                members.append(rows)
    starts = np.cumsum([0, *map(len, members)])
    at = np.concatenate(members)
    return labels, csr_array((np.ones(len(at)), at, starts), (len(members), n))


def _groups_of(values: Any) -> Iterator[IntArray]:
    """Yield the rows of equal values, ascending."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    yield from np.split(np.argsort(number.ravel(), kind="stable"), np.cumsum(counts)[:-1])


def estimates_without(
    sample: AbnormalReturns, window: Window, sets: csr_array
) -> tuple[FloatArray, ...]:
    r"""Return the answer without each set of events, from sums over the rest.

    It is by the main test of all events; an event that remains alone has its own t.

    Parameters
    ----------
    sample : AbnormalReturns
        n events that the main test takes.
    window : Window
    sets : (G, n) sparse array
        1 for the events of each set.

    Returns
    -------
    estimate, se, df, pvalue, distance : (G,) float arrays
        NaN where the test cannot be computed.

    Notes
    -----
    With the mean of the set g and of the rest, and c = 1/n_g on g and -1/n_rest elsewhere,

    .. math:: h_g = \frac{\bar z_g - \bar z_{rest}}
        {sd_{rest} / \sqrt{1 - r_{rest}} \, \sqrt{c'(I + [\rho_{ij} o_{ij}])c}}
    """
    from scipy.special import stdtr

    # The test stays that of all events, however few remain: a check changes one thing.
    is_few = len(sample) < FULL_SAMPLE
    z, s = decisive_scars(sample, window, is_few=is_few)
    size = sets.sum(axis=1)
    remaining = len(z) - size
    y = z - z.mean()
    r, contrast = WeightedSums(sample, window).without(sets)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = -(sets @ y)
        mean = total / remaining
        sd = np.sqrt(np.maximum((y @ y - sets @ y**2 - total * mean) / (remaining - 1), 0))
        sd[sd <= EQUAL * np.abs(z).max()] = np.nan
        factor = 1 + (remaining - 1) * r
        factor[(factor <= Limits.SMALLEST_FACTOR) | (r >= 1)] = np.nan
        precision = (1 / s).sum() - sets @ (1 / s)
        if is_few:
            spread = np.sqrt(_variance_left(sample, sets) * np.maximum(factor, 1))
            df = np.full(len(spread), np.inf)
        else:
            spread = sd * np.sqrt(remaining * factor / (1 - r))
            df = remaining - 1.0
        sums = np.array([z.sum() - sets @ z, spread]) / precision
        single = remaining == 1
        s_alone = decisive_scars(sample, window, is_few=True)[1] if single.any() else s
        lone = np.array([sample.car(window), s_alone, sample.df_resid.astype(float)])
        last = lone.sum(axis=1)[:, None] - (sets @ lone.T).T
        estimate, se, df = np.where(single, last, [*sums, df])
        distance = (sets @ y / size - mean) / (sd / np.sqrt(1 - r) * np.sqrt(contrast))
        pvalue = np.minimum(1, 2 * stdtr(df, -np.abs(estimate / se)))
    distance[np.isnan(pvalue) | (len(z) < FULL_SAMPLE)] = np.nan
    return estimate, se, df, pvalue, distance


def _variance_left(sample: AbnormalReturns, sets: csr_array) -> FloatArray:
    """Return the summed variances of the standardised CARs that remain, (G,)."""
    try:
        variance = scar_variance(sample)
    except InapplicableError:
        return np.full(sets.shape[0], np.nan)
    return np.asarray(variance.sum() - sets @ variance)


def _marked(
    rows: tuple[LeaveOut, ...], estimate: float, pvalue: float, n: int
) -> tuple[LeaveOut, ...]:
    """Mark the set that carries the answer, or hides a move: of several that with the extreme p."""
    if n < FULL_SAMPLE or not rows or not np.isfinite(pvalue):
        return rows
    p, h = (np.array([getattr(row, name) for row in rows]) for name in ("pvalue", "distance"))
    d = np.array([row.effect.estimate for row in rows])
    if pvalue < LEVEL:
        sign = np.sign(estimate)
        order, holds = p, (p >= LEVEL) & (sign * d <= SHARE * abs(estimate)) & (sign * h > FAR)
    else:
        grown = np.abs(d) >= (1 + SHARE) * abs(estimate)
        order, holds = -p, (p < LEVEL) & grown & (-np.sign(d) * h > FAR)
    if not holds.any():
        return rows
    k = int(np.argmax(np.where(holds, order, -np.inf)))
    return (*rows[:k], replace(rows[k], carries=True), *rows[k + 1 :])
