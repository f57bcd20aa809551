"""How sure: every test of a study compared with itself on the same firms' other days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from ...abnormal import Conventions
from ...calendars import Window
from ...dependence import Limits, residual_correlations
from ...fitting import FittedStudy, WindowLike
from ...significance import STATISTICS
from ...utility import FloatArray
from ...words import Reason, say
from ..answer.answer import Answer, default_tests
from ..answer.diagnosis import Diagnosis, class_of, diagnose, with_rate
from ..interval import MULTIPLES, POWER, plain_values
from ..placebos.calibrated import Calibrated, shared_movement
from ..placebos.shifted_dates import MOST_FITS, Progress, Shifts, days_of, draw, shifts_of

LEVELS = (0.01, 0.05, 0.10)
# p* that equals p but for rounding counts as at most as large.
EQUAL = 1 + 1e-9
SCALARS = ("str", "int", "float", "bool")
# The two forms of power differ where one effect is so many times the other.
APART = 1.1


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration(Calibrated):
    r"""How often the tests of a study raise a false alarm on dates without an announcement.

    Attributes
    ----------
    test : str
        Name of the main test. The attributes of :class:`Calibrated` are about this test.
    window : Window
    n_events : int
        Number of events in the main result.
    nominal_pvalue : float
        p-value of the main test of the study itself.
    sizes : DataFrame
        One row per test. The column pvalue has the p-value of the study, and calibrated its rank
        among the repetitions on other dates, with the Monte Carlo standard error in error. The
        column draws is the number of repetitions. The columns size_1, size_5 and size_10 are the
        proportions of repetitions with p below 1, 5 and 10%: the rates of false alarms. The column
        trust is "valid", "valid with care" or "not valid". It allows for a higher variance on the
        dates of the events.
    power : DataFrame
        One row per size of an effect, which is added to every CAR (decimal). The column power is
        the proportion of repetitions in which the main test finds this effect at the 5% level.
    smallest_effect : float
        The smallest effect that the main test finds in 80% of the repetitions, as a decimal. NaN if
        it finds none of the effects that were tried, or if none was tried.
    placebos : DataFrame
        One row per repetition: shift, n_events, mean_car, statistic and pvalue of the main test.
        The column shift is the number of sessions by which the dates were moved. If clusters of
        dates were moved separately, it is that of the first cluster.
    """

    test: str
    window: Window
    n_events: int
    nominal_pvalue: float
    sizes: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    power: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    smallest_effect: float = np.nan
    placebos: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    def frame(self) -> pd.DataFrame:
        """Return the table `sizes`: the tests with their rates of false alarms."""
        return self.sizes.copy()

    def rated(self, judged: Any) -> Any:
        """Return an opinion on a test with its rate of false alarms on these dates."""
        if judged.test not in self.sizes.index:
            return judged
        row: Any = self.sizes.loc[judged.test]
        error = Calibrated.draws_error(row["size_5"], self.effective_draws)
        return with_rate(judged, float(row["size_5"]), error, int(row["draws"]))

    @property
    def brief(self) -> Calibrated:
        """The numbers of the calibration that are in the answer."""
        return Calibrated(**{f.name: getattr(self, f.name) for f in fields(Calibrated)})

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration without its repetitions in plain values, None for NaN."""
        scalars = {f.name: getattr(self, f.name) for f in fields(self) if f.type in SCALARS}
        tables = {"sizes": self.sizes.reset_index(), "power": self.power}
        rows = {name: table.to_dict("records") for name, table in tables.items()}
        window = {"start": self.window.start, "stop": self.window.stop}
        return dict(plain_values({**scalars, "window": window, **rows}))

    def __str__(self) -> str:
        label = STATISTICS[self.test].label
        if self.reason:
            return say("calibration.none", test=label, window=self.window, why=self.reason)
        scheme = say(f"calibration.{'common' if self.are_common else 'clusters'}")
        worth = round(self.effective_draws)
        head = say(
            "calibration.sentence", test=label, n=self.draws, share=self.share, p=self.pvalue,
            size=self.false_alarms, worth=worth, scheme=scheme, error=self.error,
            rate_error=self.rate_error,
        )  # fmt: skip
        return " ".join([head, *self._power_text()])

    def _power_text(self) -> list[str]:
        """Return the smallest effect on other dates, and that of the closed form and why."""
        effect = self.smallest_effect
        if not np.isfinite(effect):
            return []
        closed = float(self.power["effect"].iloc[MULTIPLES.index(1.0)])
        code = "calibration.closed_raised" if closed > APART * effect else "calibration.closed"
        return [say("calibration.power", effect=effect), say(code, effect=closed)]

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(str(self))}</p>{self.sizes.to_html(border=0)}"


def calibrate(
    study: FittedStudy, window: WindowLike | None = None, *, tests: Iterable[str] | None = None,
    draws: int = Conventions.CALIBRATE, power: bool = True, progress: Progress | None = None,
) -> Calibration:  # fmt: skip
    r"""Repeat a study on other days of its own firms, and see how often its tests are wrong there.

    Parameters
    ----------
    study : FittedStudy
    window : window, optional
        By default the main one.
    tests : iterable of str, optional
        By default those of summaries. The main test comes first.
    draws : int
        At most so many; as many as a run takes give the same p-value.
    power : bool
        Whether effects are added as well, for the power of the main test.
    progress : callable, optional
        Called with (draws done, draws in all).

    Returns
    -------
    Calibration
        With a reason in place of numbers where there is no answer, or fewer than 39 draws.

    Notes
    -----
    .. math:: p_{cal} = \frac{1 + \#\{p^* \le p\}}{1 + B}

    A draw moves all dates by the same number of sessions, in a circle among those with prices, so
    that dates in common, gaps and overlaps stay. Of few such numbers, each cluster of dates moves
    by one of its own (:func:`shifts_of`). The model is estimated anew (:func:`draw`).
    A draw does not see variance that the announcements themselves raise.

    References
    ----------
    .. [1] Bertrand, M., Duflo, E. and Mullainathan, S. (2004). How much should we trust
       differences-in-differences estimates? Quarterly Journal of Economics 119, 249-275.
    .. [2] Gelbach, J. B., Helland, E. and Klick, J. (2013). Valid inference in single-firm,
       single-event studies. American Law and Economics Review 15, 495-541.
    """
    chosen = study.main if window is None else Window.of(window)
    answer = Answer.of(study, chosen)
    names = list(dict.fromkeys([answer.test, *(default_tests(study) if tests is None else tests)]))
    none = _without(answer, chosen, str(answer.reason or Reason("days_to_come")))
    if answer.verdict in (Answer.NO_RESULT, Answer.PROVISIONAL):
        return none
    shifts = shifts_of(study, chosen, draws)
    effects = np.array(MULTIPLES) * answer.overturn.smallest_effect if power else np.empty(0)
    drawn = draw(study, [chosen], names, shifts, effects=effects.tolist(), progress=progress)
    p = drawn.pvalue[:, 0]
    counted = np.isfinite(drawn.pvalue[:, 0, 0])
    if counted.sum() < Conventions.FEWEST_PLACEBOS:
        needed = Conventions.FEWEST_PLACEBOS
        shortage = Reason("few_placebo_dates", n=int(counted.sum()), needed=needed)
        return replace(none, are_common=shifts.are_common, reason=str(shortage))
    shifts = replace(shifts, moves=shifts.moves[counted])
    effective = _effective_draws(study, chosen, shifts)
    sizes = _sizes(study, chosen, names, p, effective)
    curve = drawn.rejected[counted, 0].mean(axis=0)
    shared = shared_movement(study.abnormal.tested(chosen), chosen)
    on_draws = drawn.shared[counted, 0]
    on_draws = on_draws[np.isfinite(on_draws)]
    is_measured = np.isfinite(shared) and len(on_draws) >= Conventions.FEWEST_PLACEBOS
    statistic = drawn.statistic[counted, 0, 0]
    return replace(
        none, are_common=shifts.are_common, reason="", false_alarms=float(sizes["size_5"].iloc[0]),
        critical=float(np.quantile(np.abs(statistic), 0.95)),
        pvalue=float(sizes["calibrated"].iloc[0]), draws=int(counted.sum()),
        effective_draws=effective, sizes=sizes,
        power=pd.DataFrame({"effect": effects, "power": curve}),
        smallest_effect=_reaching(effects, curve), shared_movement=shared,
        shared_share=float((on_draws >= shared).mean()) if is_measured else np.nan,
        placebos=pd.DataFrame({
            "shift": shifts.moves[:, 0], "n_events": drawn.n_events[counted, 0],
            "mean_car": drawn.estimate[counted, 0], "statistic": statistic, "pvalue": p[counted, 0],
        }),
    )  # fmt: skip


def _effective_draws(study: FittedStudy, window: Window, shifts: Shifts) -> float:
    """Return to how many independent draws shifts of a study are worth; of many events by some."""
    rows = np.flatnonzero(study.abnormal.in_tests(window))
    if len(rows) > Limits.PAIRWISE:
        rows = rows[np.linspace(0, len(rows) - 1, Limits.PAIRWISE).astype(int)]
    rho = residual_correlations(study.abnormal.take(rows)).copy()
    is_known = np.isfinite(rho) & ~np.eye(len(rows), dtype=bool)
    rho[~np.isfinite(rho)] = rho[is_known].mean() if is_known.any() else 0.0
    tickers = study.events["ticker"].to_numpy(object)[rows]
    rho[tickers[:, None] == tickers] = 1.0
    return shifts.effective(days_of(study)[rows], rho, window)


def _without(answer: Answer, window: Window, reason: str) -> Calibration:
    """Return the calibration of an answer without draws."""
    facts: Any = {"test": answer.test, "window": window, "n_events": answer.n_events}
    return Calibration(**facts, nominal_pvalue=answer.pvalue, reason=reason)


def calibrated(study: FittedStudy, window: Window, draws: int) -> Calibration:
    """Return what a run shows of the tests of its summaries on other dates.

    Parameters
    ----------
    study : FittedStudy
    window : Window
    draws : int
        At most so many; none of more than 200 events, and none where a model that is fitted event
        by event would need more than `MOST_FITS` fits.

    Returns
    -------
    Calibrated
    """
    n, why = len(study), ""
    if n > Conventions.MOST_CALIBRATED:
        why = Reason("too_many_to_draw", n=n, most=Conventions.MOST_CALIBRATED)
    elif study.model.by_search and n * draws > MOST_FITS:
        why = Reason("too_many_fits", n=n * draws, most=MOST_FITS)
    if why:
        return _without(Answer.of(study, window), window, str(why))
    return calibrate(study, window, tests=_quick_tests(study), draws=draws, power=False)


def _quick_tests(study: FittedStudy) -> list[str]:
    """Return the tests of summaries that neither rank all days nor resample: a run draws these."""
    tests = ((name, STATISTICS[name]) for name in default_tests(study))
    return [name for name, t in tests if not t.uses_residuals and t.role != "sign flips"]


def _sizes(
    study: FittedStudy, window: Window, names: Sequence[str], pvalues: FloatArray, effective: float,
) -> pd.DataFrame:  # fmt: skip
    """Return one row a test; its class is that of the report, or the worse of the two."""
    rows, judged = [], {opinion.test: opinion for opinion in diagnose(study, window).opinions}
    in_report = _quick_tests(study)
    for name, p in zip(names, pvalues.T, strict=True):
        drawn = p[np.isfinite(p)]
        nominal = study.test(name, window).pvalue
        calibrated = rank_of(nominal, drawn)
        rates = [float((drawn < level).mean()) if len(drawn) else np.nan for level in LEVELS]
        trust = class_of(rates[1]) if len(drawn) else ""
        if trust and (opinion := judged.get(name)):
            if name in in_report:
                rate_error = Calibrated.draws_error(rates[1], effective)
                opinion = with_rate(opinion, rates[1], rate_error, len(drawn))
            trust = max(trust, opinion.trust, key=Diagnosis.CLASSES.index)
        error = Calibrated.draws_error(calibrated, effective)
        rows.append((name, nominal, calibrated, error, len(drawn), *rates, trust))
    levels = [f"size_{round(100 * level)}" for level in LEVELS]
    columns = ["test", "pvalue", "calibrated", "error", "draws", *levels, "trust"]
    return pd.DataFrame(rows, columns=columns).set_index("test")


def rank_of(pvalue: float, draws: FloatArray) -> float:
    r"""Return (1 + #{p\* <= p}) / (1 + B); NaN without a p, or with too few draws.

    Parameters
    ----------
    pvalue : float
    draws : (B,) float array
        p\*.
    """
    if not np.isfinite(pvalue) or len(draws) < Conventions.FEWEST_PLACEBOS:
        return np.nan
    return float((1 + (draws <= pvalue * EQUAL).sum()) / (1 + len(draws)))


def _reaching(effects: FloatArray, curve: FloatArray) -> float:
    """Return the effect at which the power curve first reaches 80 %; NaN if it never does."""
    reached = np.flatnonzero(curve >= POWER)
    if not reached.size or not reached[0]:
        return np.nan
    at = slice(reached[0] - 1, reached[0] + 1)
    return float(np.interp(POWER, curve[at], effects[at]))
