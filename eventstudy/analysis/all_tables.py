"""The tables of a run: what each file in ``tables/`` holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..abnormal import Conventions
from ..calendars import Window
from ..errors import ConfigError
from ..events import Events
from ..fitting import FittedStudy, WindowsLike, faults_of_events
from ..quality import ReturnFault, SeriesFault, SeriesFaults
from ..returns import Benchmarks
from ..settings import StudyConfig
from ..utility import Flag, stepping
from ..words import make_error
from .answer.answer import Answer, main_test_of, verdict_of
from .answer.diagnosis import diagnose
from .answer.influence import Influence
from .cross_section._car_errors import NotPossibleError
from .cross_section.explain import regress_car
from .cross_section.groups import differences
from .cross_section.multiple_testing import family
from .cross_section.regressions import diagnostics
from .over_time.announcement_time import depend_on_time
from .over_time.calendar_portfolio import calendar_portfolio
from .over_time.implied_path import ImpliedPath, Path95, prepare_windows
from .over_time.long_horizon import abhar
from .over_time.weights import aggregates, has_sizes, market_values
from .placebos.placebo import placebo_firms
from .robustness.specifications import Specifications, leading_group, specifications_table

FEWEST_EVENTS = 2
# Tables whose numbers stand among the samples and events of the findings, or are too long for them.
SHOWN_ELSEWHERE = frozenset((
    "tests", "tests_by_group", "car", "caar", "caar_by_group", "choosing", "choosing_by_group",
    "abnormal_returns", "models", "path", "path_by_group", "influence", "influence_by_group",
))  # fmt: skip
# Flags that a reader may not want in a sample.
LEFT_OUT = (
    Flag.CONFOUNDED, Flag.PRICE_LIMIT, Flag.HALT_SHIFTED, Flag.MULTI_DAY_RETURN,
    Flag.SUSPECT_PRICE, Flag.SUSPECT_SPLIT, Flag.SUSPECT_MOVE, Flag.SOURCES_DIFFER, Flag.FILLED,
    Flag.MARKET_UNUSABLE,
    Flag.OVERLAPPING_EVENT,
    *ReturnFault.all_flags(), Flag.SHORT_ESTIMATION, Flag.BENCHMARK_FALLBACK, Flag.FALLBACK_MODEL,
    Flag.MASKED_DAYS, Flag.TIME_UNKNOWN,
)  # fmt: skip

# Columns of tables by group and on placebo studies: no group column can have such a name as well.
CAAR = [
    "start", "stop", "n_events", "caar", "se", "ci_low", "ci_high", "median", "positive",
    "weighted_caar",
    "weighted_se", "weighted_low", "weighted_high", "main_test", "pvalue", "verdict",
]  # fmt: skip
# Names of the columns of leave-outs that columns of an events file may have as well.
INFLUENCE = {
    "name": "left_out", "kind": "left_out_kind", "first": "left_out_first",
    "last": "left_out_last",
}  # fmt: skip
STACKED = frozenset((
    *INFLUENCE.values(), "n_left_out", "distance", "carries",
    *CAAR, "test", "trust", "tau", "weights", "left_out", "n_complete", "statistic", "distribution",
    "estimate", "total", "se_independent", "kappa", "aar", "aar_low", "aar_high", "caar_low",
    "caar_high", "reason", "false_alarms", "dating", "n_uncertain", "implied", "shares", "gap",
    "gap_low", "gap_high", "path_low", "path_high", "draw", "draws", "mean_car", "family",
    "label", "holm", "bh", "by", "romano_wolf",
))  # fmt: skip
REGRESSION = [
    "term", "label", "estimate", "se", "statistic", "df", "pvalue", "ci_low", "ci_high",
    "n_events", "n_dates", "r2", "errors", "notes", "reason",
]  # fmt: skip


def study_tables(study: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Return the tables of a run by file name; one that has nothing to say is left out.

    Parameters
    ----------
    study : FittedStudy
    config : StudyConfig
        Decides windows, tests, groups and what is asked for beside them.
    """
    windows = list(config.tested)
    column = study.group_column(config.by)
    names = tests_in_tables(study, config)
    listed_study, is_small = study.listed(config.main), not study.is_large
    out = {
        "abnormal_returns": listed_study.abnormal_returns(),
        "car": listed_study.car_table(windows),
        **_of_each_group(study, windows, names, config.main),
        "models": listed_study.model_table(),
        "diagnostics": diagnostics(listed_study),
    }
    if faults := faults_in_windows(study):
        out["faults"] = SeriesFaults(faults).table()
    if study.sizes is not None:
        out["sizes"] = study.sizes.origin.record()
    if is_small and len(study) >= FEWEST_EVENTS:
        out |= _of_a_sample(study, windows, config.main)
    if column:
        require_free(column)
        out |= _of_groups(study, column, windows, names, config.main)
    if is_small:
        out |= _without_flagged(study, config)
    out |= _of_grid(study, config)
    if config.regress:
        out["regression"] = _of_regression(study, config)
    if is_small and len(study) >= FEWEST_EVENTS:
        out |= _of_placebos(study, config)
    if column and is_small:
        out |= _beside_groups(study.groups(column), column, config)
    return out


def _of_each_group(
    study: FittedStudy, windows: list[Window], names: list[str] | None, main: Window
) -> dict[str, pd.DataFrame]:
    """Return the tables that all events have, and each group of them as well."""
    return {
        "caar": caar_table(study, windows), "aar": study.aar_table(), "path": path_table(study),
        "tests": study.tests(windows, names), "choosing": diagnose(study, main).table,
    }  # fmt: skip


def tests_in_tables(study: FittedStudy, config: StudyConfig) -> list[str] | None:
    """Return the names of the tests in the tables: the main tests, then those of the settings.

    Parameters
    ----------
    study : FittedStudy
    config : StudyConfig

    Returns
    -------
    list of str or None
        None for all tests.
    """
    if not config.tests:
        return None
    column = study.group_column(config.by)
    samples = [study, *(study.groups(column) if column else {}).values()]
    main_tests = [main_test_of(sample, config.main) for sample in samples]
    return list(dict.fromkeys([*main_tests, *config.tests]))


def faults_in_windows(study: FittedStudy) -> list[SeriesFault]:
    """Return the price-data issues in the windows of events, by firm and by series of the model."""
    if study.layout is None:
        return list(study.panel.faults)
    # The panel of the study may have faults of its market values besides.
    layout = replace(study.layout, panel=study.panel)
    near = faults_of_events(study.events, study.abnormal.windows, layout)
    touching = {fault for faults in near for fault in faults}
    return [fault for fault in study.panel.faults if fault in touching]


def require_free(column: str) -> None:
    """Refuse to split by a column whose name a run, or its tables by group, need themselves.

    Parameters
    ----------
    column : str
        Column of the events file.

    Raises
    ------
    ConfigError
        If the name is taken.
    """
    if column in Events.REPLACED or column in STACKED:
        code = "wrong.not_kept" if column in Events.REPLACED else "wrong.stacked"
        raise make_error(ConfigError, code, column=column, where="by", value=column)


@stepping("tables: means")
def caar_table(study: FittedStudy, windows: WindowsLike) -> pd.DataFrame:
    """Return the plain average and the answer of each window, one row each.

    Parameters
    ----------
    study : FittedStudy
    windows : Window, pair or sequence of them

    Returns
    -------
    DataFrame
        Columns start, stop, n_events, caar, se, ci_low, ci_high (the plain average), median,
        positive, then weighted_caar, weighted_se, weighted_low, weighted_high, main_test, pvalue,
        verdict (the answer). Decimal returns; events without a CAR over the window do not count.
    """
    several = Window.several(windows)
    prepare_windows(study, several)
    rows = []
    for window in several:
        answer = Answer.of(study, window)
        car = study.abnormal.sample(window).car(window)
        median = float(np.median(car)) if len(car) else np.nan
        intervals = answer.plain_average, answer.effect
        average, effect = ((i.estimate, i.se, i.ci_low, i.ci_high) for i in intervals)
        rows.append((
            window.start, window.stop, len(car), *average, median, int((car > 0).sum()), *effect,
            answer.test, answer.pvalue, answer.verdict,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=CAAR)


@stepping("tables: paths")
def path_table(study: FittedStudy) -> pd.DataFrame:
    """Return AAR and CAAR of each day with their 95% intervals, and the path against the market.

    The numbers are those of ``aar.csv``: `aar` the mean AR of the n_events that have one of this
    day alone, `caar` the mean CAR from the first day up to this one of the n_complete that have all
    of it; limits are not extended. `shares` and `implied` are levels, 100 on the day before the
    main window; `gap` is the effect between (decimal) with its 95% interval, and a band that chance
    leaves on no day in 19 of 20 studies (`path_low` to `path_high`).
    """
    path = Path95.of(study)
    table = pd.DataFrame({
        "tau": path.days, "n_events": path.aar_counts, "aar": path.aar,
        "aar_low": path.aar - path.aar_half,
        "aar_high": path.aar + path.aar_half, "n_complete": path.counts, "caar": path.caar,
        "caar_low": path.caar - path.caar_half, "caar_high": path.caar + path.caar_half,
    })  # fmt: skip
    implied = ImpliedPath.of(study) if study.panel.measure == "return" else None
    if implied is None:
        return table
    gap = implied.gap / ImpliedPath.BASE
    half = implied.half / ImpliedPath.BASE
    all_days = implied.path_half / ImpliedPath.BASE
    return table.assign(
        implied=implied.implied, shares=implied.shares, gap=gap, gap_low=gap - half,
        gap_high=gap + half, path_low=gap - all_days, path_high=gap + all_days,
    )  # fmt: skip


@stepping("tables: families and weights")
def _of_a_sample(
    study: FittedStudy, windows: list[Window], main: Window
) -> dict[str, pd.DataFrame]:
    out = {"families": _families(study, windows, main), **_weighted(study, windows, main)}
    out |= _by_time(study)
    if study.panel.measure == "return":
        out["calendar_portfolio"] = _by_window(windows, partial(calendar_portfolio, study))
        if "market" in [f.name for f in study.model.factors]:
            out["abhar"] = _by_window(windows, partial(abhar, study))
    return out


def _families(study: FittedStudy, windows: list[Window], main: Window) -> pd.DataFrame:
    """Return the p-values of all events, days and windows, as they are and corrected."""
    kinds = ("events", "days", "windows")
    tables = {kind: family(study, kind, window=main, windows=windows) for kind in kinds}
    return _stacked("family", tables)


def _weighted(study: FittedStudy, windows: list[Window], main: Window) -> dict[str, pd.DataFrame]:
    out = {"aggregates": aggregates(study, windows)}
    if len(influence := influence_table(study, main)):
        out["influence"] = influence
    if study.panel.measure == "return" and has_sizes(study):
        out["market_value"] = market_values(study, windows)
    return out


def influence_table(study: FittedStudy, main: Window) -> pd.DataFrame:
    """Return the answer over the main window without each event, date, cluster and firm.

    Parameters
    ----------
    study : FittedStudy
    main : Window

    Returns
    -------
    DataFrame
        One row a leave-out, as :meth:`Influence.frame` has it, without the company.
    """
    answer = Answer.of(study, main)
    table = Influence.of(study, main, answer.effect, answer.pvalue).frame()
    table = table.drop(columns="firm", errors="ignore").rename(columns=INFLUENCE)
    return table.astype({"carries": int}) if len(table) else table


def _by_time(study: FittedStudy) -> dict[str, pd.DataFrame]:
    table = depend_on_time(study)
    return {} if table.empty else {"announcement_time": table}


@stepping("tables: families and weights of groups")
def _beside_groups(
    groups: Mapping[str, FittedStudy], column: str, config: StudyConfig
) -> dict[str, pd.DataFrame]:
    """Return the further tables for each of the largest groups with several events.

    An answer is about one group: what stands beside it must be about the same events.
    """
    large = [(g, study) for g, study in groups.items() if len(study) >= FEWEST_EVENTS]
    large = large[: FittedStudy.MOST_GROUPS]
    stacked: dict[str, dict[str, pd.DataFrame]] = {}
    windows = list(config.tested)
    for group, study in large:
        tables = _weighted(study, windows, config.main) | _without_flagged(study, config)
        if group == leading_group(groups, config.main):
            # Of the answer alone: those of each group would take more time than all else here.
            tables["families"] = _families(study, windows, config.main)
        tables |= _by_time(study)
        tables |= _of_placebos(study, config)
        for name, table in tables.items():
            stacked.setdefault(f"{name}_by_group", {})[group] = table
    return {name: _stacked(column, tables) for name, tables in stacked.items()}


@stepping("tables: groups")
def _of_groups(
    study: FittedStudy, column: str, windows: list[Window], names: list[str] | None, main: Window
) -> dict[str, pd.DataFrame]:
    groups = study.groups(column)
    for group in groups.values():
        prepare_windows(group, windows)
    tables = {g: _of_each_group(group, windows, names, main) for g, group in groups.items()}
    out = {
        f"{name}_by_group": _stacked(column, {g: tables[g][name] for g in groups})
        for name in next(iter(tables.values()))
    }
    if 1 < len(groups) <= FittedStudy.MOST_GROUPS and not study.is_large:
        out["differences"] = differences(study, column, main)
    return out


def _of_regression(study: FittedStudy, config: StudyConfig) -> pd.DataFrame:
    """Return the coefficients with the facts that they share, or one row with the reason."""
    try:
        regression = regress_car(study, config.regress, config.main, cov=config.regress_cov)
    except NotPossibleError as error:
        row = {"term": ", ".join(config.regress), "n_events": 0, "n_dates": 0, "errors": ""}
        table = pd.DataFrame([{**row, "notes": "", "reason": str(error)}])
        return table.reindex(columns=REGRESSION)
    return regression.with_facts().assign(reason="")


@stepping("tables: specifications")
def _of_grid(study: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Return the specifications of the grid, and what they say by choice; of one cell none."""
    table = study.specifications
    if table is None and study.refit and 0 < len(study) <= Conventions.MOST_CALIBRATED:
        table = specifications_table(study, config)
    if table is None or len(table) == 1:
        return {}
    out = {"specifications": table, "specifications_by_choice": Specifications(table).by_choice()}
    return {name: listed for name, listed in out.items() if len(listed)}


@stepping("tables: without flagged events")
def _without_flagged(study: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Return the main test of all events over the main window without the events of each flag.

    The test stays, so the events left out alone make the difference; weighted_caar is the estimate
    of the answer without them.
    """
    names = list(dict.fromkeys([main_test_of(study, config.main), *config.tests]))
    flags, out = study.events["flags"].map(Flag.of), {}
    for flag in LEFT_OUT:
        rows = study.ok & ~np.array([flag in cell for cell in flags], dtype=bool)
        if FEWEST_EVENTS <= rows.sum() < len(study):
            remaining = study.subset(rows)
            effect = verdict_of(remaining, config.main).effect
            ends = {"weighted_low": effect.ci_low, "weighted_high": effect.ci_high}
            table = remaining.tests([config.main], names)
            out[flag] = table.assign(weighted_caar=effect.estimate, **ends)
    return {"without_flagged": _stacked("left_out", out)} if out else {}


@stepping("tables: other firms")
def _of_placebos(study: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Return the study on the firms in the column of peers, if the events have one."""
    is_large = len(study) > Conventions.MOST_CALIBRATED
    if not config.calibrate or is_large or Benchmarks.PEERS not in study.events:
        return {}
    if not study.events[Benchmarks.PEERS].str.strip().any() or study.layout is None:
        return {}
    placebo = placebo_firms(study, config.main, draws=config.calibrate)
    row = {k: v for k, v in vars(placebo).items() if k not in ("draws", "window")}
    short = {**asdict(placebo.window), **row, "draws": len(placebo.draws)}
    return {"placebo": pd.DataFrame([short]), "placebo_draws": placebo.draws}


def _by_window(windows: Iterable[Window], table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of several windows below each other, with start and stop in front."""
    return _stacked(("start", "stop"), {(w.start, w.stop): table(w) for w in windows})


def _stacked(columns: str | Sequence[str], tables: Mapping[Any, pd.DataFrame]) -> pd.DataFrame:
    """Return tables below each other, with the columns of their keys in front."""
    names = [columns] if isinstance(columns, str) else list(columns)
    stacked: pd.DataFrame = pd.concat(tables, names=names).reset_index(level=names)
    return stacked.reset_index(drop=True)
