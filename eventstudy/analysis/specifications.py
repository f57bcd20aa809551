"""The specification curve: the answer of a study under all combinations of its choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from ..abnormal.conventions import MOST_CALIBRATED
from ..calendars.window import Window
from ..errors import ConfigError
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy, group_column
from ..fitting.grid import Grid
from ..utility.catalogue import Reason, say
from ..utility.numbers import LEVEL
from ..utility.typing import FloatArray, IntArray
from .answer import NO_RESULT, PROVISIONAL, Answer, answer_of
from .shifted_dates import draw, shifts_of


def leading_group(groups: Mapping[str, FittedStudy], window: Window) -> str:
    """Return the group that the answer is about: the first that has a verdict, else the first.

    Parameters
    ----------
    groups : mapping of str to FittedStudy
    window : Window
        The main one.
    """
    decided = (name for name in groups if answer_of(groups[name], window).verdict != NO_RESULT)
    return next(decided, next(iter(groups), ""))


def cells_of(config: StudyConfig) -> Iterator[tuple[StudyConfig, Window, str]]:
    """Yield the settings of the fit, the window and the sample of each specification.

    The choice of the study stands first in a list that lacks it. Windows share a fit unless events
    are left out for what is near the main window: other news, or another listing of the firm.

    Parameters
    ----------
    config : StudyConfig
        With the grid.
    """
    grid, differs = Grid.of(config.grid), bool(config.firm or config.drop_confounded)
    cars = (config.main,) if grid.car else config.tested
    first = Grid((config.normal_model,), (config.estimation,), cars, ("",), (config.halt,))
    pairs = zip(*map(attrgetter(*Grid.__slots__), (first, grid)), strict=True)
    grid = Grid(
        *(listed if set(usual) <= set(listed) else usual + listed for usual, listed in pairs)
    )
    for model, estimation, halt, car in product(grid.model, grid.estimation, grid.halt, grid.car):
        settings = _of_fit(config, model, car if differs else config.main)
        settings = replace(settings, estimation=estimation, halt=halt)
        yield from ((settings, car, sample) for sample in grid.sample)


def _of_fit(config: StudyConfig, model: str, main: Window) -> StudyConfig:
    return replace(config.with_model(model), size="", windows=(main,))


def specifications_table(
    study: FittedStudy, config: StudyConfig, fit: Callable[[StudyConfig], FittedStudy]
) -> pd.DataFrame:
    """Return the answer of every specification of the grid, one row each, and their joint p.

    Parameters
    ----------
    study : FittedStudy
        The study itself.
    config : StudyConfig
        Its settings, with the grid.
    fit : callable
        Fits the study of other settings.

    Returns
    -------
    DataFrame
        model, estimation, window, sample, halt, is_main (of the study itself), n_events, n_dates,
        estimate, se, ci_low, ci_high, statistic (estimate / se), test, pvalue, reason (why there is
        no result); joint_pvalue, joint_median, draws (of :func:`joint_pvalues`, alike in all rows;
        up to ``config.calibrate`` draws, none above 200 events). Decimal; NaN without a result.

    Raises
    ------
    ConfigError
        For a where-expression that is none. A fit that its settings forbid gives the reason.

    Notes
    -----
    All rows are about the events of the answer: where the study is split, about its leading group.
    """
    cells, main = list(cells_of(config)), _of_fit(config, config.normal_model, config.main)
    for sample in dict.fromkeys(sample for _, _, sample in cells):
        study.subset(sample)
    column = group_column(study, config.by)
    group = leading_group(study.groups(column), config.main) if column else ""
    rows, settings, fitted, samples = [], main, study, list[Any]()
    for settings_of_cell, car, sample in cells:
        if settings_of_cell != settings:
            settings = settings_of_cell
            fitted = study if settings == main else _attempt(fit, settings)
        samples.append(_sample(fitted, column, group, sample))
        answer = _answer(samples[-1], car)
        effect = answer.effect
        rows.append({
            "model": settings.model, "estimation": str(settings.estimation), "window": str(car),
            "sample": sample, "halt": settings.halt,
            "is_main": (settings, car, sample) == (main, config.main, ""),
            "n_events": answer.n_events, "n_dates": answer.n_dates, "estimate": effect.estimate,
            "se": effect.se, "ci_low": effect.ci_low, "ci_high": effect.ci_high,
            "statistic": effect.estimate / (effect.se or np.nan), "test": answer.test,
            "pvalue": answer.pvalue, "reason": str(answer.reason),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    leading = _sample(study, column, group, "")
    shifts: Any = ()
    if config.calibrate and isinstance(leading, FittedStudy) and len(leading) <= MOST_CALIBRATED:
        shifts = shifts_of(leading, config.main, config.calibrate)
    joint = _drawn(table, samples, [car for _, car, _ in cells], shifts)
    return table.assign(
        joint_pvalue=joint.significant, joint_median=joint.median, draws=joint.n_draws
    )


def _drawn(
    table: pd.DataFrame, samples: list[Any], windows: list[Window], shifts: Any
) -> JointPvalues:
    """Return the joint p-values of all cells with a result, on the same other dates."""
    shape = len(shifts), len(table)
    t, p = np.full(shape, np.nan), np.full(shape, np.nan)
    cells, places = table["pvalue"].notna() & bool(len(shifts)), dict[int, list[int]]()
    for k in np.flatnonzero(cells).tolist():
        places.setdefault(id(samples[k]), []).append(k)
    for at in places.values():
        spans = list(dict.fromkeys(windows[k] for k in at))
        tests = list(dict.fromkeys(table["test"].iloc[at]))
        drawn = draw(samples[at[0]], spans, tests, shifts)
        for k in at:
            place = spans.index(windows[k]), tests.index(table["test"].iloc[k])
            t[:, k], p[:, k] = drawn.statistic[:, *place], drawn.pvalue[:, *place]
    statistics, pvalues = (table[name].to_numpy(float) for name in ("statistic", "pvalue"))
    return joint_pvalues(statistics, pvalues, (t, p), Specifications(table).sign)


def _attempt(fit: Callable[[StudyConfig], FittedStudy], settings: StudyConfig) -> Any:
    """Return the study of other settings, or why they forbid it."""
    try:
        return fit(settings)
    except ConfigError as error:
        return error


def _sample(study: Any, column: str, group: str, text: str) -> FittedStudy | Answer:
    """Return a sample of the group, or the answer with the reason where there is none."""
    if isinstance(study, ConfigError):
        return Answer(NO_RESULT, "", reason=str(study))
    of_group = study.groups(column).get(group, study.subset([])) if column else study
    sample: FittedStudy = of_group.remember(("sample", text), lambda: of_group.subset(text))
    if len(sample):
        return sample
    code, n = ("in_sample", len(of_group)) if len(of_group) else ("used", len(study.events))
    return Answer(NO_RESULT, "", reason=Reason(f"no_event_{code}", n=n))


def _answer(sample: FittedStudy | Answer, window: Window) -> Answer:
    """Return the answer of a sample; without a verdict while it is provisional."""
    if isinstance(sample, Answer):
        return sample
    answer = answer_of(sample, window)
    is_provisional = answer.verdict == PROVISIONAL
    return replace(answer, reason=Reason("days_to_come")) if is_provisional else answer


@dataclass(frozen=True, slots=True)
class JointPvalues:
    """How often days without an event give as much as all specifications together.

    Attributes
    ----------
    significant : float
        By the number of specifications that are significant with one sign.
    median : float
        By the size of the median t.
    n_draws : int
    """

    significant: float
    median: float
    n_draws: int


def joint_pvalues(
    statistics: FloatArray, pvalues: FloatArray, draws: tuple[FloatArray, FloatArray], sign: float
) -> JointPvalues:
    r"""Return the joint p-values of a specification curve.

    Parameters
    ----------
    statistics, pvalues : (n,) arrays
        Signed t and p of the n specifications; NaN without a result.
    draws : pair of (B, n) arrays
        The same on other days; a draw without any result does not count.
    sign : float
        Of the effect of the study.

    Returns
    -------
    JointPvalues
        NaN without a draw.

    Notes
    -----
    With n the specifications that are significant with the sign of the study, and n+ and n- those
    of a draw with either sign (each draw with its own larger one),

    .. math:: p = (1 + \#\{\max(n_+, n_-)^* \ge n\}) / (1 + B) .

    It corrects for the choice of a specification, and adds no evidence against chance.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020).
    """
    is_drawn = np.isfinite(draws[0]).any(axis=1)
    drawn_t, drawn_p = (values[is_drawn] for values in draws)
    n_draws = len(drawn_t)
    if n_draws == 0 or not np.isfinite(statistics).any():
        return JointPvalues(np.nan, np.nan, n_draws)
    n = _count(statistics, pvalues, sign)
    larger = np.maximum(_count(drawn_t, drawn_p, 1.0), _count(drawn_t, drawn_p, -1.0)) >= n
    sizes = np.abs(np.nanmedian(drawn_t, axis=1)) >= abs(np.nanmedian(statistics))
    significant, median = ((1 + int(hits.sum())) / (1 + n_draws) for hits in (larger, sizes))
    return JointPvalues(significant, median, n_draws)


def _count(statistics: FloatArray, pvalues: FloatArray, sign: float) -> IntArray:
    """Return how many specifications (..., n) are significant with a sign."""
    return np.asarray(((pvalues < LEVEL) & (np.sign(statistics) == np.sign(sign))).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class Specifications:
    """All specifications of a study, and what they say together (``str``).

    Attributes
    ----------
    table : DataFrame
        As :func:`specifications_table` returns it.
    """

    table: pd.DataFrame

    @property
    def joint(self) -> JointPvalues:
        """The joint p-values; NaN where nothing was drawn."""
        first = self.table.iloc[0]
        return JointPvalues(first["joint_pvalue"], first["joint_median"], int(first["draws"]))

    def frame(self) -> pd.DataFrame:
        """Return one row a specification."""
        return self.table.copy()

    @property
    def sign(self) -> float:
        """Sign of the effect of the study; of the median where the study has none."""
        effects, is_main = self.table["estimate"], self.table["is_main"]
        return float(np.sign(effects[is_main].fillna(effects.median()).iloc[0]))

    def summary(self) -> dict[str, float]:
        """Return n (with a result), lacking, median, and the shares same_sign and significant."""
        rows = self.table[self.table["pvalue"].notna()]
        agrees = np.sign(rows["estimate"]) == self.sign
        return {
            "n": len(rows), "lacking": len(self.table) - len(rows),
            "median": rows["estimate"].median(), "same_sign": agrees.mean(),
            "significant": (agrees & (rows["pvalue"] < LEVEL)).mean(),
        }  # fmt: skip

    def __str__(self) -> str:
        facts: dict[str, Any] = {**self.summary(), "reason": self.table["reason"].iloc[0]}
        sentences = [say(f"specifications.{'lede' if facts['n'] else 'none'}", **facts)]
        if facts["n"] and facts["lacking"]:
            sentences.append(say("specifications.lacking", **facts))
        if np.isfinite(self.joint.significant):
            joint = {name: getattr(self.joint, name) for name in JointPvalues.__slots__}
            sentences.append(say("specifications.joint", **joint))
        return " ".join(sentences)
