"""What each variant of a study says over its main window, beside the study itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..fitting.config import MAIN
from ..fitting.fitted import MOST_GROUPS, group_column
from .answer import answer_of

if TYPE_CHECKING:
    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy


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
    name: str, results: FittedStudy, own: StudyConfig, config: StudyConfig
) -> Iterator[dict[str, Any]]:
    column = group_column(results, own.by) if len(results) else ""
    groups = results.groups(column) if column else {}
    changed = config.variants.get(name, {})
    tests = own.tests if "tests" in changed else ()
    for group, part in {"": results, **(groups if len(groups) <= MOST_GROUPS else {})}.items():
        yield {
            "variant": name, "group": group, "settings": settings_text(changed),
            "start": own.main.start, "stop": own.main.stop, **_answer(part, own, tests),
        }  # fmt: skip


def _answer(results: FittedStudy, config: StudyConfig, tests: tuple[str, ...]) -> dict[str, Any]:
    if len(results) == 0:
        blank = dict.fromkeys(("estimate", "ci_low", "ci_high"), np.nan)
        none = {"test": "", "statistic": np.nan, "pvalue": np.nan}
        return {
            "n_events": 0,
            **blank,
            **none,
            "reason": f"none of {len(results.events)} events could be used",
        }
    found = answer_of(results, config.main)
    test = results.test(tests[0] if tests else found.test, config.main)
    effect = found.plain_average if tests else found.effect
    return {
        "n_events": test.n_events, "estimate": effect.estimate,
        "ci_low": effect.ci_low, "ci_high": effect.ci_high,
        "test": test.name, "statistic": test.statistic, "pvalue": test.pvalue,
        "reason": test.reason,
    }  # fmt: skip


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings in one line, as they stand in a study file but for the quotes."""
    return "; ".join(f"{name} = {_plain(value)}" for name, value in settings.items())


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
