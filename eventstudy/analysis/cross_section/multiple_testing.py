"""Many tests at once: in short by window, and adjusted for their number (Holm, Romano-Wolf)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...errors import ConfigError, InapplicableError
from ...fitting import FittedStudy, WindowLike, WindowsLike, awaits_days
from ...returns import Measure
from ...significance import STATISTICS, DateClusters
from ...utility import FloatArray, IntArray, Registry, did_you_mean
from ...words import Reason, make_error, say, words
from ..answer.answer import Answer, default_tests, main_test_of

# What statsmodels calls them.
ADJUSTMENTS: Registry[str] = Registry("adjustment")
for _name, _method in (("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by")):
    ADJUSTMENTS.register(_name)(_method)
ROMANO_WOLF = "romano_wolf"
FAMILIES = ("events", "days", "windows", "groups")
# The main test of one event.
OF_ONE = "event_t_regime"
TEXT_WIDTH = 100


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """The hypothesis that the mean CAR of some events over a window is zero."""

    label: str
    study: FittedStudy
    window: Window

    @property
    def sample(self) -> AbnormalReturns:
        """The events that have a CAR over the window."""
        return self.study.abnormal.sample(self.window)


def family(
    study: FittedStudy, kind: str, *, window: WindowLike | None = None,
    windows: Iterable[WindowLike] | None = None, test: str | None = None, by: str | None = None,
    methods: Iterable[str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Test a family of hypotheses and adjust its p-values for their number.

    Declare the family before looking at the study.

    Parameters
    ----------
    study : FittedStudy
    kind : {"events", "days", "windows", "groups"}
        The t of each event alone over `window`; `test` on each day of the event window, over
        each of `windows`, or over `window` in each group of the column `by`.
    window : window, optional
        By default the main one.
    windows : iterable of windows, optional
        By default the standard windows that fit into the event window.
    test : str, optional
        By default the main test. For events this is ``event_t_regime``, which allows for violent
        times and gives the p of their pages; ``event_t`` gives the p of the textbook.
    by : str, optional
        By default the column that splits the report: group, else direction.
    methods : iterable of {"holm", "bh", "by", "romano_wolf"}, optional
        By default all that apply.

    Returns
    -------
    DataFrame
        label, n_events, estimate (decimal), statistic, pvalue, one column per method, reason.
        Hypotheses without a p-value stay NaN and are not counted.

    Raises
    ------
    ConfigError
        For an unknown kind, method, test or column, and for Romano-Wolf of single events.

    Notes
    -----
    Holm bounds the probability of any false rejection; Benjamini and Hochberg the expected share of
    false ones under independence or positive dependence, Benjamini and Yekutieli under any.
    Romano-Wolf, which also bounds the probability of any, rests on the date-clustered t of the
    plain average of all events with a CAR, whatever `test` is: see :func:`stepdown`.

    References
    ----------
    .. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian
       Journal of Statistics 6, 65-70.
    .. [2] Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of
       the Royal Statistical Society B 57, 289-300.
    .. [3] Benjamini, Y. and Yekutieli, D. (2001). The control of the false discovery rate in
       multiple testing under dependency. Annals of Statistics 29, 1165-1188.
    .. [4] Romano, J. P. and Wolf, M. (2005). Stepwise multiple testing as formalized data snooping.
       Econometrica 73, 1237-1282.
    """
    window = study.main if window is None else Window.of(window)
    hypotheses = list[Hypothesis]()
    if kind == "events":
        frame = _of_events(study, window, test or OF_ONE)
    else:
        members = _members(study, kind, window, windows, by or "")
        hypotheses = [Hypothesis(*member) for member in members]
        frame = _tested(hypotheses, test or main_test_of(study))
    reason = frame.pop("reason")
    chosen = [*ADJUSTMENTS, ROMANO_WOLF] if hypotheses else list(ADJUSTMENTS)
    for method in chosen if methods is None else methods:
        if method == ROMANO_WOLF:
            frame[method], more = _romano_wolf(study, hypotheses)
            pairs = zip(reason, more, strict=True)
            reason = pd.Series(["; ".join(dict.fromkeys(filter(None, pair))) for pair in pairs])
        else:
            frame[method] = adjusted(frame["pvalue"].to_numpy(), method)
    return frame.assign(reason=reason)


def adjusted(pvalues: FloatArray | Sequence[float], method: str) -> FloatArray:
    """Return p-values adjusted for their number, shape (m,); NaN stays NaN and is not counted.

    Parameters
    ----------
    pvalues : (m,) array
    method : {"holm", "bh", "by"}

    Returns
    -------
    (m,) float array
    """
    from statsmodels.stats.multitest import multipletests

    out = np.array(pvalues, dtype=float)
    name = ADJUSTMENTS[method]
    if (counted := ~np.isnan(out)).any():
        out[counted] = multipletests(out[counted], method=name)[1]
    return out


def stepdown(
    values: Sequence[FloatArray], clusters: Sequence[IntArray], signs: FloatArray, *, complete: bool
) -> FloatArray:
    r"""Return stepdown p-values of "mean k is zero", k = 1..m, by sign flips of clusters.

    Parameters
    ----------
    values : m arrays (n_k,)
        CARs (decimal) of the events of each hypothesis.
    clusters : m arrays (n_k,)
        Column of `signs` of each event: one draw of a date is shared by all hypotheses.
    signs : (B, G) array of -1 and 1
    complete : bool
        Whether `signs` are all 2^G flips, the data themselves among them.

    Returns
    -------
    (m,) float array

    Raises
    ------
    InapplicableError
        If a hypothesis has fewer than three clusters, or values that do not vary.

    Notes
    -----
    With the CR2 date-clustered t in descending order of \|t\|,

    .. math:: p_{(j)} = \max\Big(p_{(j-1)},
       \frac{1 + \#\{\max_{k \ge j} |t^*_k| \ge |t_{(j)}|\}}{1 + B}\Big),

    the share without the ones if the flips are complete.

    References
    ----------
    .. [1] Romano, J. P. and Wolf, M. (2005). Stepwise multiple testing as formalized data snooping.
       Econometrica 73, 1237-1282.
    .. [2] Romano, J. P. and Wolf, M. (2016). Efficient computation of adjusted p-values for
       resampling-based stepdown multiple testing. Statistics & Probability Letters 113, 38-40.
    """
    observed, stars = [], []
    for cars, cluster in zip(values, clusters, strict=True):
        dates = DateClusters.of(cluster)
        observed.append(abs(dates.t(cars).statistic))
        stars.append(np.abs(dates.flipped_t(cars, signs[:, np.unique(cluster)])))
    return _stepdown(np.array(observed), np.column_stack(stars), complete)


def _stepdown(observed: FloatArray, stars: FloatArray, complete: bool) -> FloatArray:
    """Return p-values of m statistics |t| from their joint draws (B, m)."""
    order = np.argsort(-observed, kind="stable")
    largest = np.maximum.accumulate(stars[:, order[::-1]], axis=1)[:, ::-1]
    reached = (largest >= observed[order] - DateClusters.TIE).sum(axis=0)
    p = np.empty(len(observed))
    p[order] = np.maximum.accumulate((reached + (not complete)) / (len(stars) + (not complete)))
    return p


def _romano_wolf(
    study: FittedStudy, hypotheses: Sequence[Hypothesis]
) -> tuple[FloatArray, list[str]]:
    """Return the p-value of each hypothesis, and why it has none.

    Dates closer than the longest window are one cluster.
    """
    if not hypotheses:
        raise make_error(ConfigError, "wrong.romano_wolf")
    values = [h.sample.car(h.window) for h in hypotheses]
    clusters = _clusters(study, hypotheses)
    reasons = [
        Reason("days_to_come") if awaits_days(h.study, h.window) else _obstacle(v, c)
        for h, v, c in zip(hypotheses, values, clusters, strict=True)
    ]
    fit = [k for k, reason in enumerate(reasons) if not reason]
    p = np.full(len(hypotheses), np.nan)
    if fit:
        conventions = study.abnormal.conventions
        present = np.unique(np.concatenate([clusters[k] for k in fit]))
        local = [np.searchsorted(present, clusters[k]) for k in fit]
        signs, complete = DateClusters.draw_signs(len(present), conventions.draws, conventions.seed)
        p[fit] = stepdown([values[k] for k in fit], local, signs, complete=complete)
    return p, reasons


def _clusters(study: FittedStudy, hypotheses: Sequence[Hypothesis]) -> list[IntArray]:
    """Return the cluster of each event of each hypothesis, numbered alike for all."""
    usable = study.abnormal.take(study.ok)
    dates, first = np.unique(usable.windows.day0, return_index=True)
    longest = max((h.window for h in hypotheses), key=len)
    number = DateClusters.merged(usable, longest).number[first]
    return [number[np.searchsorted(dates, h.sample.windows.day0)] for h in hypotheses]


def _obstacle(values: FloatArray, cluster: IntArray) -> str:
    dates = DateClusters.of(cluster)
    try:
        dates.require_flips()
        dates.t(values)
    except InapplicableError as error:
        return f"Romano-Wolf: {error}"
    return ""


def _of_events(study: FittedStudy, window: Window, test: str) -> pd.DataFrame:
    """Return the test of each event alone, one row each."""
    if test not in (OF_ONE, "event_t"):
        raise make_error(ConfigError, "wrong.not_of_one", value=test, of_one=OF_ONE)
    a, rows = study.abnormal, np.flatnonzero(study.ok)
    k = a.recent_variance(window) if test == OF_ONE else np.ones(len(a))
    car = a.car(window)[rows]
    has_car = np.isfinite(car)
    return pd.DataFrame(
        {
            "label": study.events["event_id"].to_numpy()[rows],
            "n_events": has_car.astype(int),
            "estimate": car,
            "statistic": (a.car_t(window) / np.sqrt(k))[rows],
            "pvalue": a.car_pvalues(window, k)[rows],
            "reason": np.where(has_car, "", "the event lacks days of the window"),
        }
    )


def _members(
    study: FittedStudy, kind: str, window: Window, windows: Iterable[WindowLike] | None, by: str
) -> list[tuple[str, FittedStudy, Window]]:
    """Return label, events and window of each hypothesis of a family."""
    match kind:
        case "days":
            days = study.abnormal.event.days.tolist()
            return [(str(day), study, Window(day, day)) for day in days]
        case "windows":
            return [(str(w), study, w) for w in study.windows_of(windows)]
        case "groups":
            if column := by or study.group_column(study.settings.by):
                return [(name, group, window) for name, group in study.groups(column).items()]
            raise ConfigError("no column splits the events", remedy="name one with by=")
    remedy = did_you_mean(kind, FAMILIES) or "known: " + ", ".join(FAMILIES)
    raise ConfigError("unknown family of hypotheses", value=kind, remedy=remedy)


def _tested(hypotheses: Sequence[Hypothesis], test: str) -> pd.DataFrame:
    """Return the test of each hypothesis, one row each."""
    tests = [h.study.test(test, h.window) for h in hypotheses]
    names = ("n_events", "estimate", "statistic", "pvalue", "reason")
    columns = {name: [getattr(t, name) for t in tests] for name in names}
    return pd.DataFrame({"label": [h.label for h in hypotheses], **columns})


@dataclass(frozen=True, eq=False)
class Summary:
    """Main results and tests for each window in a short table; `main` names the main test."""

    tests: pd.DataFrame
    answers: tuple[Answer, ...]
    n_used: int
    n_events: int
    measure: Measure = "return"
    main: str = ""
    is_pooled: bool = False

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per window: number of events, effect with 95% interval, mean CAR and p-values.

        Effect, interval and mean CAR are in percent. For measures other than returns, they are in
        log points.
        """
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
        """The units, the name of the main test, and whether these are all groups together."""
        tested = [STATISTICS[name].label for name in self.tests["test"].drop_duplicates()]
        unit = "percent" if self.measure == "return" else "log points"
        note = f"Effect with its 95% interval and CAAR in {unit}; p-values of {', '.join(tested)}."
        pairs = zip(self.frame.index, self.answers, strict=True)
        if early := [window for window, a in pairs if a.verdict == Answer.PROVISIONAL]:
            note += f" {say('windows.open', names=early)}"
        note += f" Main test: {STATISTICS[self.main].label}." if self.main else ""
        return f"{say('robustness.pooled', n=self.n_used)} {note}" if self.is_pooled else note

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
            return words().pvalue(value, 4) if name in STATISTICS else f"{value:.{digits}f}"

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
    answers = tuple(Answer.of(study, window) for window in chosen)
    counts = len(study), len(study.events)
    main = main_test_of(study)
    return Summary(tests, answers, *counts, study.panel.measure, main, study.is_pooled)
