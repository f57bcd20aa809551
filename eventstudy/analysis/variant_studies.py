"""A study and its variants, fitted to the same prices, and what each says over its main window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..fitting.config import MAIN, StudyConfig
from ..fitting.fit import Source, fit_config
from ..fitting.fitted import MOST_GROUPS, FittedStudy, group_column
from ..fitting.inputs import StudyInputs
from ..fitting.settings import within
from ..prices import resolve
from ..prices.shared import SharedSource
from ..returns import ReturnsPanel
from ..returns.load import Progress, days_around
from ..utility.log import note
from .answer import answer_of
from .market_values import with_market_values


def variants_table(
    results: FittedStudy, config: StudyConfig, variants: Mapping[str, FittedStudy]
) -> pd.DataFrame:
    """Return one row a variant and group, those of the study itself (``main``) first.

    Parameters
    ----------
    results : FittedStudy
    config : StudyConfig
    variants : mapping of str to FittedStudy
        By name in ``config.variants``.

    Returns
    -------
    DataFrame
        variant, group ("" = all events), settings (those that differ), start, stop (the main window
        of the variant), n_events, estimate, ci_low, ci_high (of the answer, decimal and 95%), test
        (the main test), statistic, pvalue, reason. A variant that names ``tests`` has the first of
        them, and the plain average with its interval.

    Notes
    -----
    Variants are looked at side by side, not tested jointly: their events are the same, and the
    smallest of their p-values is no p-value.
    """
    studies, fitted = {MAIN: config, **config.studies}, {MAIN: results, **variants}
    rows = [row for name in studies for row in _rows(name, fitted[name], studies[name], config)]
    return pd.DataFrame(rows)


def _rows(
    name: str, results: FittedStudy, variant: StudyConfig, config: StudyConfig
) -> Iterator[dict[str, Any]]:
    column = group_column(results, variant.by) if len(results) else ""
    groups = results.groups(column) if column else {}
    changed = config.variants.get(name, {})
    tests = variant.tests if "tests" in changed else ()
    for group, sample in {"": results, **(groups if len(groups) <= MOST_GROUPS else {})}.items():
        yield {
            "variant": name, "group": group, "settings": settings_text(changed),
            "start": variant.main.start, "stop": variant.main.stop,
            **_answer(sample, variant, tests),
        }  # fmt: skip


def _answer(results: FittedStudy, config: StudyConfig, tests: tuple[str, ...]) -> dict[str, Any]:
    if len(results) == 0:
        blank = dict.fromkeys(("estimate", "ci_low", "ci_high"), np.nan)
        none = {"test": "", "statistic": np.nan, "pvalue": np.nan}
        reason = f"none of {len(results.events)} events could be used"
        return {"n_events": 0, **blank, **none, "reason": reason}
    answer = answer_of(results, config.main)
    test = results.test(tests[0] if tests else answer.test, config.main)
    effect = answer.plain_average if tests else answer.effect
    return {
        "n_events": test.n_events, "estimate": effect.estimate, "ci_low": effect.ci_low,
        "ci_high": effect.ci_high, "test": test.name, "statistic": test.statistic,
        "pvalue": test.pvalue, "reason": test.reason,
    }  # fmt: skip


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings in one line, as they stand in a study file but for the quotes."""
    return "; ".join(f"{name} = {_plain(value)}" for name, value in settings.items())


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def compute_study(inputs: StudyInputs, *, progress: Progress = None) -> FittedStudy:
    """Return the fitted study of the inputs, with market values and variants if it has any.

    Parameters
    ----------
    inputs : StudyInputs
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    """
    inputs.require_used()
    if inputs.config.variants:
        return fit_with_variants(inputs, progress=progress)
    return fit_sized(inputs, inputs.config, inputs.config.prices, progress=progress)


def fit_with_variants(inputs: StudyInputs, *, progress: Progress = None) -> FittedStudy:
    """Return the fitted study and a table of its variants; prices are fetched once for all.

    Parameters
    ----------
    inputs : StudyInputs
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.

    Returns
    -------
    FittedStudy
        Of the study itself, with all prices in its panel; ``variants`` is the table of
        :func:`eventstudy.analysis.variant_studies.variants_table`.
    """
    from .variant_studies import variants_table

    config = inputs.config
    studies = {MAIN: config, **config.studies}
    if config.returns:
        fitted = _fitted(inputs, studies, config.prices, progress)
    else:
        source = resolve(config.prices, **inputs.price_options)
        shared = SharedSource(source, *_further(studies.values()))
        fitted = _fitted(inputs, studies, shared, progress)
        while shared.regrown:
            # A study that came first has seen fewer rows than are kept.
            shared.regrown = False
            fitted = _fitted(inputs, studies, shared, None)
        fitted[MAIN] = replace(fitted[MAIN], panel=_with_prices(fitted[MAIN].panel, shared))
    results = fitted.pop(MAIN)
    return replace(results, variants=variants_table(results, config, fitted))


def fit_sized(
    inputs: StudyInputs, config: StudyConfig, prices: Source, *, progress: Progress = None
) -> FittedStudy:
    """Return a fitted study, with market values if its settings name some.

    Parameters
    ----------
    inputs : StudyInputs
        Events and files of the study.
    config : StudyConfig
        Settings of this study, which may be a variant.
    prices : str or PriceProvider
        Source of prices.
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.

    Returns
    -------
    FittedStudy
        An event without a market value has NaN there.

    Raises
    ------
    EventStudyError
        As :func:`fit_config` and :func:`with_market_values` do.
    """
    study = fit_config(inputs, config, prices, progress=progress)
    if not config.size:
        return study
    source = inputs.sizes or config.size
    return with_market_values(study, source, currency=config.currency, offline=inputs.offline)


def _fitted(
    inputs: StudyInputs,
    studies: dict[str, StudyConfig],
    prices: str | SharedSource,
    progress: Progress,
) -> dict[str, FittedStudy]:
    fitted: dict[str, FittedStudy] = {}
    for name, variant in studies.items():
        if name == MAIN:
            fitted[name] = fit_sized(inputs, variant, prices, progress=progress)
            continue
        note("variant", name=name)
        with within(f"variants.{name}"):
            fitted[name] = fit_sized(inputs, variant, prices)
    return fitted


def _further(studies: Iterable[StudyConfig]) -> tuple[int, int]:
    """Return the calendar days, before and after, that the longest study has over the shortest."""
    before, after = zip(*(days_around(s.estimation, s.event) for s in studies), strict=True)
    return max(before) - min(before), max(after) - min(after)


def _with_prices(panel: ReturnsPanel, shared: SharedSource) -> ReturnsPanel:
    """Return the panel of the study with what its variants were computed from among its prices."""
    prices = shared.prices
    if prices is None or panel.fetched is None:
        return panel
    provenance = {symbol: vars(p) for symbol, p in prices.provenance.items()}
    fetched = replace(prices, notices=panel.fetched.notices)
    return replace(panel, prices=prices.table, provenance=provenance, fetched=fetched)
