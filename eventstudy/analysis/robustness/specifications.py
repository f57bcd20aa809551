"""The specification curve: the answer of a study under all combinations of its choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ...abnormal import Conventions
from ...calendars import Window
from ...errors import ConfigError
from ...files import BLANK, OUTCOME
from ...fitting import FittedStudy
from ...settings import Grid, StudyConfig
from ...utility import FloatArray, IntArray, step
from ...words import LEVEL, Reason, say
from ..answer.answer import Answer, verdict_of
from ..placebos.shifted_dates import MOST_FITS, draw, shifts_of

# Choices of a grid, in the order of the columns, and what is said of those with each value.
SHARES = ("n", "same_sign", "significant", "median")
# Numbers that agree to this are the same: the engines differ by rounding.
SAME = 1e-9


def leading_group(groups: Mapping[str, FittedStudy], window: Window) -> str:
    """Return the group that the answer is about: the first that has a verdict, else the first.

    Parameters
    ----------
    groups : mapping of str to FittedStudy
    window : Window
        The main one.
    """
    decided = (
        name for name in groups if verdict_of(groups[name], window).verdict != Answer.NO_RESULT
    )
    return next(decided, next(iter(groups), ""))


def cells_of(
    config: StudyConfig, further: tuple[str, ...] = ()
) -> Iterator[tuple[StudyConfig, Window, str]]:
    """Yield the settings of the fit, the window and the sample of each specification.

    The choice of the study stands first in a list that lacks it. Windows share a fit unless events
    are left out for what is near the main window: other news, or another listing of the firm.

    Parameters
    ----------
    config : StudyConfig
        With the grid; without one the usual grid counts.
    further : tuple of str
        Models beside those of the usual grid.
    """
    grid, differs = config.choices, bool(config.firm or config.drop_confounded)
    if not config.grid:
        grid = replace(grid, model=grid.model + further)
    usual = config.windows or tuple(window for window in Grid.CARS if window in config.event)
    grid = replace(grid, car=grid.car or usual)
    main = (config.normal_model,), (config.estimation,), (config.main,), ("",), (config.halt,)
    pairs = zip(main, attrgetter(*Grid.__slots__)(grid), strict=True)
    grid = Grid(*(b if set(a) <= set(b) else a + b for a, b in pairs))
    for model, estimation, halt, car in product(grid.model, grid.estimation, grid.halt, grid.car):
        settings = _of_fit(config, model, car if differs else config.main)
        settings = replace(settings, estimation=estimation, halt=halt)
        yield from ((settings, car, sample) for sample in grid.sample)


def _of_fit(config: StudyConfig, model: str, main: Window) -> StudyConfig:
    return replace(config.with_model(model), size="", windows=(main,))


def specifications_table(
    study: FittedStudy, config: StudyConfig, *, most_fits: float = MOST_FITS
) -> pd.DataFrame:
    """Return the answer of every specification of the grid, one row each, and their joint p.

    Parameters
    ----------
    study : FittedStudy
        The study itself.
    config : StudyConfig
        Its settings, with the grid; without one the usual grid counts, and nothing is drawn.
    most_fits : float
        If models that are fitted event by event need more fits, the joint p leaves them out.

    Returns
    -------
    DataFrame
        model, estimation, window, sample, halt, is_main (of the study itself), n_events, n_dates,
        estimate, se, ci_low, ci_high, statistic (estimate / se), test, pvalue, reason (why there is
        no result); and alike in all rows joint_pvalue, joint_median, draws (of
        :func:`joint_pvalues`; up to ``config.calibrate`` draws, none above 200 events), n_undrawn
        (specifications that these leave out), n_merged and inert (specifications that no event
        tells from another, which has the row, and the choices that are in none but such). Decimal;
        NaN without a result.

    Raises
    ------
    ConfigError
        For a where-expression that is none. A fit that its settings forbid gives the reason.

    Notes
    -----
    All rows are about the events of the answer: where the study is split, about its leading group.
    Fits other than that of the study are of the engine ``batch`` where it can estimate the model.
    """
    # Where share and index close at different hours, the slopes of the days around are one answer.
    codes = [str(Reason.of(note).code) for note in study.panel.notices]
    differ = any(code.startswith("other_hours") for code in codes)
    further = ("dimson",) if differ and study.model.name in Grid.MODELS else ()
    cells = list(cells_of(config, further))
    main = _of_fit(config, config.normal_model, config.main)
    for sample in dict.fromkeys(sample for _, _, sample in cells):
        study.subset(sample)
    column = study.group_column(config.by)
    group = leading_group(study.groups(column), config.main) if column else ""
    rows, settings, fitted, samples = [], main, study, list[Any]()
    for k, (settings_of_cell, car, sample) in enumerate(cells):
        step("specifications", k, len(cells))
        if settings_of_cell != settings:
            settings = settings_of_cell
            fitted = study if settings == main else _attempt(study, settings)
        samples.append(_sample(fitted, column, group, sample))
        is_main = (settings, car, sample) == (main, config.main, "")
        choices = {"window": str(car), "sample": sample, "halt": settings.halt, "is_main": is_main}
        cell = {"model": settings.model, "estimation": str(settings.estimation), **choices}
        rows.append({**cell, **answer_row(samples[-1], car)})
    listed = pd.DataFrame(rows)
    distinct = _distinct(listed)
    table = listed.iloc[distinct].reset_index(drop=True)
    inert = [
        f"{name}={value}"
        for name in ("sample", "halt")
        for value in dict.fromkeys(listed[name])
        if value not in set(table[name])
    ]
    shifts = _shifts(_sample(study, column, group, ""), config)
    kept = [samples[k] for k in distinct]
    windows = [cells[k][1] for k in distinct]
    joint, n_undrawn = _drawn(table, kept, windows, shifts, most_fits)
    return table.assign(
        joint_pvalue=joint.significant, joint_median=joint.median, draws=joint.n_draws,
        n_undrawn=n_undrawn, n_merged=len(listed) - len(table), inert=", ".join(inert),
    )  # fmt: skip


def _shifts(leading: FittedStudy | Answer, config: StudyConfig) -> Any:
    """Return the other dates of the events of the answer; none where nothing is drawn."""
    if isinstance(leading, Answer) or len(leading) > Conventions.MOST_CALIBRATED:
        return ()
    is_drawn = config.grid and config.calibrate
    return shifts_of(leading, config.main, config.calibrate) if is_drawn else ()


def answer_row(sample: FittedStudy | Answer, window: Window) -> dict[str, Any]:
    """Return the answer of a sample over a window as a row of a table.

    Parameters
    ----------
    sample : FittedStudy or Answer
        The answer with the reason where there is no sample.
    window : Window
    """
    answer = _answer(sample, window)
    effect = answer.effect
    return {
        "n_events": answer.n_events, "n_dates": answer.n_dates, "estimate": effect.estimate,
        "se": effect.se, "ci_low": effect.ci_low, "ci_high": effect.ci_high,
        "statistic": effect.estimate / (effect.se or np.nan), "test": answer.test,
        "pvalue": answer.pvalue, "reason": str(answer.reason),
    }  # fmt: skip


def _distinct(table: pd.DataFrame) -> list[int]:
    """Return the rows that differ from those above them which have their model and windows."""
    numbers = table[["n_events", "n_dates", "estimate", "se", "pvalue"]].to_numpy(float)
    out = list[int]()
    lacking = table["sample"].where(table["pvalue"].isna(), "")
    names = [*(table[name] for name in ("model", "estimation", "window")), lacking]
    for _, rows in table.groupby(names, sort=False):
        above = list[int]()
        for k in rows.index.tolist():
            near = np.isclose(numbers[above], numbers[k], rtol=SAME, atol=0, equal_nan=True)
            if not near.all(axis=1).any():
                above.append(k)
        out += above
    return sorted(out)


def _drawn(
    table: pd.DataFrame, samples: list[Any], windows: list[Window], shifts: Any, most_fits: float
) -> tuple[JointPvalues, int]:
    """Return the joint p-values of all cells with a result, on the same other dates.

    Without the cells whose models are fitted event by event, which are counted, where these would
    take too many fits.
    """
    shape = len(shifts), len(table)
    t = np.full(shape, np.nan)
    p = np.full(shape, np.nan)
    cells = table["pvalue"].notna() & bool(len(shifts))
    places = dict[int, list[int]]()
    for k in np.flatnonzero(cells).tolist():
        places.setdefault(id(samples[k]), []).append(k)
    slow = {key for key, at in places.items() if samples[at[0]].model.by_search}
    if len(shifts) * sum(len(samples[places[key][0]]) for key in slow) <= most_fits:
        slow.clear()
    is_in = np.array([id(sample) not in slow for sample in samples], dtype=bool)
    for done, at in enumerate(at for key, at in places.items() if key not in slow):
        step("specifications: other dates", done, len(places) - len(slow))
        spans = list(dict.fromkeys(windows[k] for k in at))
        tests = list(dict.fromkeys(table["test"].iloc[at]))
        drawn = draw(samples[at[0]], spans, tests, shifts)
        for k in at:
            place = spans.index(windows[k]), tests.index(table["test"].iloc[k])
            t[:, k] = drawn.statistic[:, *place]
            p[:, k] = drawn.pvalue[:, *place]
    statistics, pvalues = (table[name].to_numpy(float) for name in ("statistic", "pvalue"))
    numbers = statistics[is_in], pvalues[is_in], (t[:, is_in], p[:, is_in])
    joint = joint_pvalues(*numbers, Specifications(table).sign)
    return joint, int((cells & ~is_in).sum())


def _attempt(study: FittedStudy, settings: StudyConfig) -> Any:
    """Return the study of other settings, or why they forbid it."""
    if study.refit is None:
        raise ConfigError("these results do not know where their returns came from")
    engine = "batch" if settings.cov_type == "nonrobust" else settings.engine
    try:
        fitted = study.refit(replace(settings, engine=engine))
    except ConfigError as error:
        return error
    # Columns that the events of the study were given later count as well.
    outcome = {name: fitted.events[name] for name in ("benchmark", *OUTCOME)}
    rows = study.events["event_id"].isin(fitted.events["event_id"])
    return replace(fitted, events=study.events[rows].reset_index(drop=True).assign(**outcome))


def _sample(study: Any, column: str, group: str, text: str) -> FittedStudy | Answer:
    """Return a sample of the group, or the answer with the reason where there is none."""
    if isinstance(study, ConfigError):
        return Answer(Answer.NO_RESULT, "", reason=str(study))
    of_group: FittedStudy = study.remember(("group", group), lambda: _group(study, column, group))
    if not text or not len(of_group):
        return of_group
    sample: FittedStudy = of_group.remember(("sample", text), lambda: of_group.subset(text))
    if len(sample):
        return sample
    return Answer(Answer.NO_RESULT, "", reason=Reason("no_event_in_sample", n=len(of_group)))


def _group(study: FittedStudy, column: str, group: str) -> FittedStudy:
    """Return one group; that of the study itself is shared with its tables."""
    if not column or ("groups", column) in study.memo:
        return study.groups(column).get(group, study.subset([])) if column else study
    values = study.column(column).astype(str).replace("", BLANK)
    return study.subset((values == group).to_numpy())


def _answer(sample: FittedStudy | Answer, window: Window) -> Answer:
    """Return the answer of a sample; without a verdict while it is provisional."""
    if isinstance(sample, Answer):
        return sample
    if not len(sample):
        return Answer(Answer.NO_RESULT, "", reason=Reason("no_event_used", n=len(sample.events)))
    answer = verdict_of(sample, window)
    is_provisional = answer.verdict == Answer.PROVISIONAL
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

    CHOICES: ClassVar[tuple[str, ...]] = ("model", "estimation", "window", "sample", "halt")

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
        effects = self.table["estimate"]
        is_main = self.table["is_main"]
        return float(np.sign(effects[is_main].fillna(effects.median()).iloc[0]))

    def summary(self) -> dict[str, float]:
        """Return n (with a result), lacking, median, and the shares same_sign and significant."""
        shares = self._share(self.table)
        return {**shares, "lacking": len(self.table) - int(shares["n"])}

    def by_choice(self) -> pd.DataFrame:
        """Return one row a value of each choice that is varied.

        Returns
        -------
        DataFrame
            choice, value, n (specifications with a result), same_sign, significant (shares, by the
            sign of the study), median (effect, decimal).
        """
        rows = list[dict[str, Any]]()
        for choice in Specifications.CHOICES:
            cells = dict(list(self.table.groupby(choice, sort=False)))
            if len(cells) > 1:
                rows += [
                    {"choice": choice, "value": value, **self._share(part)}
                    for value, part in cells.items()
                ]
        return pd.DataFrame(rows, columns=["choice", "value", *SHARES])

    def _share(self, table: pd.DataFrame) -> dict[str, float]:
        rows = table[table["pvalue"].notna()]
        agrees = np.sign(rows["estimate"]) == self.sign
        return {
            "n": len(rows), "same_sign": agrees.mean(),
            "significant": (agrees & (rows["pvalue"] < LEVEL)).mean(),
            "median": rows["estimate"].median(),
        }  # fmt: skip

    def __str__(self) -> str:
        first = self.table.iloc[0]
        alike = {name: first[name] for name in ("reason", "n_merged", "inert")}
        facts: dict[str, Any] = {**self.summary(), **alike}
        sentences = [say(f"specifications.{'lede' if facts['n'] else 'none'}", **facts)]
        if facts["n"] and facts["lacking"]:
            sentences.append(say("specifications.lacking", **facts))
        if facts["n_merged"]:
            code = "inert" if facts["inert"] else "same"
            sentences.append(say(f"specifications.{code}", **facts))
        if np.isfinite(self.joint.significant):
            joint = {name: getattr(self.joint, name) for name in JointPvalues.__slots__}
            code = "joint" if facts["significant"] else "joint_none"
            sentences.append(say(f"specifications.{code}", **joint))
        if n_undrawn := int(first.get("n_undrawn", 0)):
            sentences.append(say("specifications.undrawn", n=n_undrawn))
        return " ".join(sentences)
