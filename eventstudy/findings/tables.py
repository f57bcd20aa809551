"""The tables of a run: what each file in ``tables/`` holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..analysis.answer import answer_of, default_tests, main_test_of
from ..analysis.calendar_portfolio import calendar_portfolio
from ..analysis.cross_section import regress_car
from ..analysis.diagnosis import diagnose
from ..analysis.long_horizon import abhar
from ..analysis.multiple_testing import family
from ..analysis.placebo import placebo_dates
from ..analysis.regressions import diagnostics
from ..calendars.window import Window
from ..errors import ConfigError, NotPossibleError
from ..events.checks import REPLACED
from ..fitting.fitted import MOST_GROUPS, group_column, is_large, listed
from ..fitting.status import faults_of_events
from ..prices.quality.fault_kinds import Fault, table_of
from ..prices.quality.return_faults import RETURN_FLAGS
from ..returns.benchmarks import PEERS
from ..utility.csv_text import OUTCOME
from ..utility.flags import Flag
from ..utility.progress import stepping
from ..utility.typing import BoolArray

if TYPE_CHECKING:
    from ..analysis.placebo import Placebo
    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy, WindowsLike

FEWEST_EVENTS = 2
# Tables whose numbers stand among the samples and events of the findings, or are too long for them.
SHOWN_ELSEWHERE = frozenset((
    "tests", "tests_by_group", "car", "caar", "caar_by_group", "choosing", "choosing_by_group",
    "abnormal_returns", "models", "path", "path_by_group",
))  # fmt: skip
# Flags that a reader may not want in a sample.
LEFT_OUT = (
    Flag.CONFOUNDED, Flag.PRICE_LIMIT, Flag.HALT_SHIFTED, Flag.MULTI_DAY_RETURN,
    Flag.SUSPECT_PRICE, Flag.OVERLAPPING_EVENT, *RETURN_FLAGS, Flag.SHORT_ESTIMATION,
    Flag.BENCHMARK_FALLBACK, Flag.FALLBACK_MODEL, Flag.MASKED_DAYS, Flag.TIME_UNKNOWN,
)  # fmt: skip

# Columns of the tables below each other by group, and of those on placebo studies: no group column
# can have such a name as well.
STACKED = frozenset((
    "test", "trust", "start", "stop", "tau", "weights", "left_out", "n_events", "n_complete",
    "statistic",
    "pvalue", "distribution", "estimate", "total", "median", "positive", "se", "se_independent",
    "kappa",
    "ci_low", "ci_high", "aar", "aar_low", "aar_high", "caar", "caar_low", "caar_high", "reason",
    "false_alarms", "weighted_caar", "weighted_se", "weighted_low", "weighted_high", "main_test",
    "verdict",
))  # fmt: skip
CAAR = [
    "start", "stop", "n_events", "caar", "se", "ci_low", "ci_high", "median", "positive",
    "weighted_caar",
    "weighted_se", "weighted_low", "weighted_high", "main_test", "pvalue", "verdict",
]  # fmt: skip
OF_PLACEBOS = frozenset(("kind", "draws", "shift", "mean_car"))


def study_tables(results: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Return the tables of a run by file name; one that has nothing to say is left out.

    Parameters
    ----------
    results : FittedStudy
    config : StudyConfig
        Decides windows, tests, groups and what is asked for beside them.
    """
    windows, column = list(config.tested), group_column(results, config.by)
    names = tests_in_tables(results, config)
    listed_study, is_small = listed(results, config.main), not is_large(results)
    out = {
        "abnormal_returns": listed_study.abnormal_returns(),
        "car": listed_study.car(windows),
        "caar": caar_table(results, windows),
        "aar": results.aar_table(),
        "path": path_table(results),
        "tests": results.tests(windows, names),
        "models": listed_study.models(),
        "diagnostics": diagnostics(listed_study),
        "choosing": diagnose(results, config.main).table,
    }
    faults = faults_in_windows(results)
    if faults:
        out["faults"] = table_of(faults)
    if results.sizes is not None:
        out["sizes"] = results.sizes.origin.record()
    if is_small and len(results) >= FEWEST_EVENTS:
        out |= _of_a_sample(results, windows, config.main)
    if column:
        require_free(column, config)
        out |= _of_groups(results, column, windows, names, config.main)
    if is_small:
        out |= _without_flagged(results, windows, config)
    if results.variants is not None:
        out["variants"] = results.variants
    if config.regress:
        out["regression"] = _of_regression(results, config)
    if config.placebo:
        out |= _of_placebos(results, config)
    if column and is_small:
        out |= _beside_groups(results.groups(column), column, config)
    return out


def tests_in_tables(results: FittedStudy, config: StudyConfig) -> list[str] | None:
    """Return the names of the tests in the tables: the main tests, then those of the settings.

    Parameters
    ----------
    results : FittedStudy
    config : StudyConfig

    Returns
    -------
    list of str or None
        None for all tests.
    """
    if not config.tests:
        return None
    column = group_column(results, config.by)
    samples = [results, *(results.groups(column) if column else {}).values()]
    return list(
        dict.fromkeys([*(main_test_of(sample, config.main) for sample in samples), *config.tests])
    )


def faults_in_windows(results: FittedStudy) -> list[Fault]:
    """Return the price-data issues in the windows of events, by firm and by series of the model."""
    if results.layout is None:
        return list(results.panel.faults)
    near = faults_of_events(results.events, results.abnormal.windows, results.layout)
    touching = {fault for faults in near for fault in faults}
    return [fault for fault in results.panel.faults if fault in touching]


def require_free(column: str, config: StudyConfig) -> None:
    """Refuse to split by a column whose name a run, or its tables by group, need themselves.

    Parameters
    ----------
    column : str
        Column of the events file.
    config : StudyConfig

    Raises
    ------
    ConfigError
        If the name is taken.
    """
    if column in REPLACED:
        problem = "the events of a run have no such column, or one of their own"
    elif column in STACKED or (config.placebo and column in OF_PLACEBOS):
        problem = "the tables of groups have a column of this name themselves"
    else:
        return
    remedy = f"rename it in the events file, such as to {column}_of_event"
    raise ConfigError(problem, where="by", value=column, remedy=remedy)


@stepping("tables: means")
def caar_table(results: FittedStudy, windows: WindowsLike) -> pd.DataFrame:
    """Return the plain average and the answer of each window, one row each.

    Parameters
    ----------
    results : FittedStudy
    windows : Window, pair or sequence of them

    Returns
    -------
    DataFrame
        Columns start, stop, n_events, caar, se, ci_low, ci_high (the plain average), median,
        positive, then weighted_caar, weighted_se, weighted_low, weighted_high, main_test, pvalue,
        verdict (the answer). Decimal returns; events without a CAR over the window do not count.
    """
    rows = []
    for window in Window.several(windows):
        answer, car = answer_of(results, window), results.abnormal.sample(window).car(window)
        median = float(np.median(car)) if len(car) else np.nan
        ends = (
            (i.estimate, i.se, i.ci_low, i.ci_high) for i in (answer.plain_average, answer.effect)
        )
        average, effect = ends
        rows.append((
            window.start, window.stop, len(car), *average, median, int((car > 0).sum()), *effect,
            answer.test, answer.pvalue, answer.verdict,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=CAAR)


@stepping("tables: paths")
def path_table(results: FittedStudy) -> pd.DataFrame:
    """Return AAR and CAAR of each day with their 95% intervals, as in the figure.

    The numbers are those of ``aar.csv``: `aar` the mean AR of the n_events that have one of this
    day alone, `caar` the mean CAR from the first day up to this one of the n_complete that have all
    of it; limits are not extended.
    """
    from ..analysis.caar_path import path_of

    path = path_of(results)
    return pd.DataFrame({
        "tau": path.days, "n_events": path.aar_counts, "aar": path.aar,
        "aar_low": path.aar - path.aar_half,
        "aar_high": path.aar + path.aar_half, "n_complete": path.counts, "caar": path.caar,
        "caar_low": path.caar - path.caar_half, "caar_high": path.caar + path.caar_half,
    })  # fmt: skip


def events_table(results: FittedStudy) -> pd.DataFrame:
    """Return the events as they were given, with day0, status, reason, flags and nobs behind."""
    columns = [c for c in results.events.columns if c not in {*OUTCOME, "exchange"}]
    return results.events[[*columns, *OUTCOME]]


def placebos(results: FittedStudy, config: StudyConfig) -> list[Placebo]:
    """Return the placebo studies that the settings ask for, over the main window.

    Parameters
    ----------
    results : FittedStudy
    config : StudyConfig

    Returns
    -------
    list of Placebo
        On other dates; then of other firms, if the events file has a column of peers.
    """
    from ..analysis.placebo import placebo_firms

    studies = [placebo_dates(results, config.main, draws=config.placebo)]
    if PEERS in results.events:
        studies.append(placebo_firms(results, config.main, draws=config.placebo))
    return studies


@stepping("tables: families and weights")
def _of_a_sample(
    results: FittedStudy, windows: list[Window], main: Window
) -> dict[str, pd.DataFrame]:
    families = {
        "events": family(results, "events", window=main),
        "days": family(results, "days"),
        "windows": family(results, "windows", windows=windows),
    }
    out = {"families": _stacked("family", families), **_weighted(results, windows)}
    if results.panel.measure == "return":
        out["calendar_portfolio"] = _by_window(windows, partial(calendar_portfolio, results))
        if "market" in [f.name for f in results.model.factors]:
            out["abhar"] = _by_window(windows, partial(abhar, results))
    return out


def _weighted(results: FittedStudy, windows: list[Window]) -> dict[str, pd.DataFrame]:
    from ..analysis.weights import aggregates, has_sizes, market_values

    out = {"aggregates": aggregates(results, windows)}
    if results.panel.measure == "return" and has_sizes(results):
        out["market_value"] = market_values(results, windows)
    return out


@stepping("tables: families and weights of groups")
def _beside_groups(
    groups: Mapping[str, FittedStudy], column: str, config: StudyConfig
) -> dict[str, pd.DataFrame]:
    """Return the further tables for each of the largest groups with several events.

    An answer is about one group: what stands beside it must be about the same events.
    """
    large = [(g, study) for g, study in groups.items() if len(study) >= FEWEST_EVENTS][:MOST_GROUPS]
    stacked: dict[str, dict[str, pd.DataFrame]] = {}
    windows = list(config.tested)
    for group, study in large:
        tables = _weighted(study, windows) | _without_flagged(study, windows, config)
        if config.placebo:
            tables |= _of_placebos(study, config)
        for name, table in tables.items():
            stacked.setdefault(f"{name}_by_group", {})[group] = table
    return {name: _stacked(column, tables) for name, tables in stacked.items()}


@stepping("tables: groups")
def _of_groups(
    results: FittedStudy, column: str, windows: list[Window], names: list[str] | None, main: Window
) -> dict[str, pd.DataFrame]:
    from ..analysis.groups import differences

    groups = results.groups(column)
    out = {
        "tests_by_group": _stacked(column, {g: r.tests(windows, names) for g, r in groups.items()}),
        "caar_by_group": _stacked(column, {g: caar_table(r, windows) for g, r in groups.items()}),
        "aar_by_group": _stacked(column, {g: r.aar_table() for g, r in groups.items()}),
        "path_by_group": _stacked(column, {g: path_table(r) for g, r in groups.items()}),
    }
    out["choosing_by_group"] = _stacked(
        column, {g: diagnose(r, main).table for g, r in groups.items()}
    )
    if 1 < len(groups) <= MOST_GROUPS and not is_large(results):
        out["differences"] = differences(results, column, main)
    return out


def _of_regression(results: FittedStudy, config: StudyConfig) -> pd.DataFrame:
    """Return the coefficients with the facts that they share, or one row with the reason."""
    common: dict[str, Any]
    try:
        regression = regress_car(results, config.regress, config.main, cov=config.regress_cov)
    except NotPossibleError as error:
        blank = dict.fromkeys(
            ("estimate", "se", "statistic", "df", "pvalue", "ci_low", "ci_high"), np.nan
        )
        common = {"n_events": 0, "n_dates": 0, "r2": np.nan, "errors": "", "notes": ""}
        return pd.DataFrame(
            [{"term": ", ".join(config.regress), **blank, **common, "reason": str(error)}]
        )
    common = {
        "n_events": regression.n_events,
        "n_dates": regression.n_dates,
        "r2": regression.r2,
        "errors": regression.cov,
    }
    return regression.table.assign(**common, notes="; ".join(regression.notes), reason="")


@stepping("tables: without flagged events")
def _without_flagged(
    results: FittedStudy, windows: list[Window], config: StudyConfig
) -> dict[str, pd.DataFrame]:
    """Return the tests without the events of each flag, and without a large date.

    The first test of each is the main test of all events, so the events left out alone make the
    difference; weighted_caar is the estimate of the answer without them.
    """
    names = list(
        dict.fromkeys(
            [main_test_of(results, config.main), *(config.tests or default_tests(results))]
        )
    )
    out = {}
    for name, remaining in _kept(results, config.main):
        if FEWEST_EVENTS <= remaining.sum() < len(results):
            out[name] = _with_estimates(results.subset(remaining), windows, names)
    return {"without_flagged": _stacked("left_out", out)} if out else {}


def _with_estimates(results: FittedStudy, windows: list[Window], names: list[str]) -> pd.DataFrame:
    table = results.tests(windows, names)
    effects = [answer_of(results, w).effect.estimate for w in windows]
    return table.assign(weighted_caar=np.repeat(effects, len(table) // len(windows)))


def _kept(results: FittedStudy, main: Window) -> Iterator[tuple[str, BoolArray]]:
    """Yield what is left out, and the used events that remain (n,)."""
    flags = results.events["flags"].str.split(";")
    for name in LEFT_OUT:
        yield name, results.ok & ~flags.apply(lambda cell, name=name: name in cell).to_numpy(bool)
    if diagnose(results, main).large_date:
        day0 = results.events["day0"]
        largest = day0[results.abnormal.valid(main)].mode().iloc[0]
        yield f"date {largest:%Y-%m-%d}", results.ok & (day0 != largest).to_numpy(bool)


@stepping("tables: placebo studies")
def _of_placebos(results: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    studies = placebos(results, config)
    return {
        "placebo": pd.DataFrame([_short(p) for p in studies]),
        "placebo_draws": _stacked("kind", {p.kind: p.draws for p in studies}),
    }


def _short(placebo: Placebo) -> dict[str, Any]:
    """Return one placebo without its draws."""
    row = {k: v for k, v in vars(placebo).items() if k not in ("draws", "window")}
    return {
        "start": placebo.window.start,
        "stop": placebo.window.stop,
        **row,
        "draws": len(placebo.draws),
    }


def _by_window(windows: Iterable[Window], table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of several windows below each other, with start and stop in front."""
    frames: list[pd.DataFrame] = []
    for window in windows:
        columns = table(window)
        frames.append(columns.assign(**asdict(window))[[*asdict(window), *columns.columns]])
    return pd.concat(frames, ignore_index=True)


def _stacked(column: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    frames = [
        table.assign(**{column: name})[[column, *table.columns]] for name, table in tables.items()
    ]
    return pd.concat(frames, ignore_index=True)
