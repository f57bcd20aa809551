"""The specification curve: the answer of a study under all combinations of its choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..calendars.window import Window
from ..errors import ConfigError
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy, group_column
from ..fitting.grid import Grid
from ..utility.catalogue import Reason, say
from ..utility.numbers import LEVEL
from ..utility.typing import FloatArray, Halt, IntArray
from .answer import NO_RESULT, PROVISIONAL, Answer, answer_of


class Fit(NamedTuple):
    """The choices that need a fit of their own; its windows and samples share it."""

    model: str
    estimation: Window
    halt: Halt
    main: Window


def choices_of(config: StudyConfig) -> Grid:
    """Return all lists of the grid, the choice of the study first where a list lacks it."""
    grid = Grid.of(config.grid)
    usual = Grid(
        (config.normal_model,), (config.estimation,), (config.main,) if grid.car else config.tested,
        ("",), (config.halt,),
    )  # fmt: skip
    lists = {name: (getattr(usual, name), getattr(grid, name)) for name in Grid.__slots__}
    return Grid(**{
        name: listed if set(first) <= set(listed) else first + listed
        for name, (first, listed) in lists.items()
    })  # fmt: skip


def leading_group(groups: Mapping[str, FittedStudy], window: Window) -> str:
    """Return the group that the answer is about: the first that has a verdict, else the first."""
    decided = (name for name in groups if answer_of(groups[name], window).verdict != NO_RESULT)
    return next(decided, next(iter(groups), ""))


def fits_of(config: StudyConfig) -> dict[Fit, StudyConfig]:
    """Return the settings of each fit that the specifications of a study share."""
    return {
        fit: replace(
            config.with_model(fit.model), size="", estimation=fit.estimation, halt=fit.halt,
            windows=(fit.main,),
        )
        for fit, _, _ in _cells(config)
    }  # fmt: skip


def _cells(config: StudyConfig) -> Iterator[tuple[Fit, Window, str]]:
    """Yield fit, window and sample of each specification.

    Windows share a fit unless events are left out for what is near the main window: other news, or
    another listing of the firm that has a CAR.
    """
    grid, differs = choices_of(config), bool(config.firm or config.drop_confounded)
    for model, estimation, halt, car in product(grid.model, grid.estimation, grid.halt, grid.car):
        fit = Fit(model, estimation, halt, car if differs else config.main)
        yield from ((fit, car, sample) for sample in grid.sample)


def specifications_table(
    study: FittedStudy, config: StudyConfig, fit: Callable[[StudyConfig], FittedStudy]
) -> pd.DataFrame:
    """Return the answer of every specification of the grid, one row each.

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
        model, estimation_start, estimation_stop, halt, start, stop (the window), sample, is_main
        (of the study itself), n_events, n_dates, estimate, se, ci_low, ci_high, statistic (estimate
        / se), test, pvalue, reason (why there is no result). Decimal returns; NaN without a result.

    Raises
    ------
    ConfigError
        For a where-expression that is none. A fit that its settings forbid gives the reason.

    Notes
    -----
    All rows are about the events of the answer: where the study is split, about its leading group.
    """
    for sample in choices_of(config).sample:
        study.subset(sample)
    column, settings = group_column(study, config.by), fits_of(config)
    group = leading_group(study.groups(column), config.main) if column else ""
    main = Fit(config.normal_model, config.estimation, config.halt, config.main)
    rows, fitted = [], {main: _Samples(study, column, group)}
    for key, car, sample in _cells(config):
        if key not in fitted:
            # Fits come one after the other, so that one beside that of the study is enough.
            fitted = {
                main: fitted[main],
                key: _Samples(_attempt(fit, settings[key]), column, group),
            }
        answer = fitted[key].answer(sample, car)
        effect = answer.effect
        rows.append({
            "model": key.model, "estimation_start": key.estimation.start,
            "estimation_stop": key.estimation.stop, "halt": key.halt, "start": car.start,
            "stop": car.stop, "sample": sample,
            "is_main": (key, car, sample) == (main, config.main, ""),
            "n_events": answer.n_events, "n_dates": answer.n_dates, "estimate": effect.estimate,
            "se": effect.se, "ci_low": effect.ci_low, "ci_high": effect.ci_high,
            "statistic": effect.estimate / (effect.se or np.nan), "test": answer.test,
            "pvalue": answer.pvalue, "reason": answer.reason,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _attempt(
    fit: Callable[[StudyConfig], FittedStudy], settings: StudyConfig
) -> FittedStudy | ConfigError:
    try:
        return fit(settings)
    except ConfigError as error:
        return error


class _Samples:
    """The samples of one fit, of the events of the answer."""

    def __init__(self, study: FittedStudy | ConfigError, column: str, group: str) -> None:
        self.reason = str(study) if isinstance(study, ConfigError) else ""
        self.study = None if isinstance(study, ConfigError) else study
        if self.study is not None and column:
            self.study = self.study.groups(column).get(group)
        self.by_text: dict[str, FittedStudy] = {}

    def answer(self, sample: str, window: Window) -> Answer:
        """Return the answer of a sample over a window, with the reason where there is none."""
        if self.study is None:
            return Answer(NO_RESULT, "", reason=self.reason or Reason("no_event_in_group"))
        if sample not in self.by_text:
            self.by_text[sample] = self.study.subset(sample) if sample else self.study
        study = self.by_text[sample]
        if len(study) == 0:
            return Answer(NO_RESULT, "", reason=Reason("no_event_in_sample", n=len(self.study)))
        answer = answer_of(study, window)
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
    ranks = ((1 + int(hits.sum())) / (1 + n_draws) for hits in (larger, sizes))
    return JointPvalues(*ranks, n_draws)


def _count(statistics: FloatArray, pvalues: FloatArray, sign: float) -> IntArray:
    """Return how many specifications (..., n) are significant with a sign."""
    return np.asarray(((pvalues < LEVEL) & (np.sign(statistics) == np.sign(sign))).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class Specifications:
    """All specifications of a study, and what they say together.

    Attributes
    ----------
    table : DataFrame
        As :func:`specifications_table` returns it.
    joint : JointPvalues, optional
        None where nothing was drawn.
    """

    table: pd.DataFrame
    joint: JointPvalues | None = None

    def frame(self) -> pd.DataFrame:
        """Return one row a specification."""
        return self.table.copy()

    @property
    def decided(self) -> pd.DataFrame:
        """The specifications that have a result."""
        return self.table[self.table["pvalue"].notna()]

    @property
    def sign(self) -> float:
        """Sign of the effect of the study; of the median where the study has none."""
        main = self.table.loc[self.table["is_main"], "estimate"].dropna()
        return float(np.sign(main.iloc[0] if len(main) else self.decided["estimate"].median()))

    def by_choice(self) -> pd.DataFrame:
        """Return choice, value, n, median, same_sign, significant (shares) of each choice varied.

        The first row (choice "all") is about all specifications that have a result.
        """
        choices = {"all": pd.Series("", self.table.index), **choice_columns(self.table)}
        return pd.DataFrame([
            {"choice": choice, "value": value, **self._shares(self.table[column == value])}
            for choice, column in choices.items()
            for value in dict.fromkeys(column)
            if choice == "all" or len(set(column)) > 1
        ])  # fmt: skip

    def _shares(self, rows: pd.DataFrame) -> dict[str, Any]:
        rows = rows[rows["pvalue"].notna()]
        agrees = np.sign(rows["estimate"]) == self.sign
        is_significant = agrees & (rows["pvalue"] < LEVEL)
        return {
            "n": len(rows), "median": rows["estimate"].median(), "same_sign": agrees.mean(),
            "significant": is_significant.mean(),
        }  # fmt: skip

    def __str__(self) -> str:
        n = len(self.decided)
        facts = self._shares(self.table) | {
            "total": len(self.table),
            "lacking": len(self.table) - n,
        }
        sentences = [say("specifications.lede" if n else "specifications.none", **facts)]
        if n and facts["lacking"]:
            sentences.append(say("specifications.lacking", **facts))
        if self.joint is not None and np.isfinite(self.joint.significant):
            names = ("significant", "median", "n_draws")
            joint = {f"joint_{name}": getattr(self.joint, name) for name in names}
            sentences.append(say("specifications.joint", **joint))
        return " ".join(sentences)


def choice_columns(table: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Return the choice of each row as text, by the name of the list in a grid."""
    windows = {"estimation": ("estimation_start", "estimation_stop"), "car": ("start", "stop")}
    out = {}
    for name in Grid.__slots__:
        cells = table[name] if name in table else table[windows[name][0]].astype(str) + ":"
        out[name] = cells if name in table else cells + table[windows[name][1]].astype(str)
    return out
