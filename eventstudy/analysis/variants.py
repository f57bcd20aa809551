"""What each variant of a study says over its main window, beside the study itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..config import MAIN
from ..report.facts import cells, interval, interval_known
from ..tables import MOST_GROUPS, group_column

if TYPE_CHECKING:
    from ..config import StudyConfig
    from ..results import EventStudyResults


def variants_table(
    results: EventStudyResults, config: StudyConfig, variants: Mapping[str, EventStudyResults]
) -> pd.DataFrame:
    """Return one row a variant and group, those of the study itself (``main``) first.

    Parameters
    ----------
    results : EventStudyResults
    config : StudyConfig
    variants : mapping of str to EventStudyResults
        By name in ``config.variants``.

    Returns
    -------
    DataFrame
        variant, group ("" = all events), settings (those that differ), start, stop (the main window of the
        variant), n_events, estimate (the mean CAR, decimal), ci_low, ci_high (95 %, as in the report), test
        (the first of the variant's own ``tests``, else that recommended for its events), trust (what
        ``diagnose`` says of it there), statistic, pvalue, reason.

    Notes
    -----
    Variants are looked at side by side, not tested jointly: their events are the same, and the smallest of
    their p-values is no p-value.
    """
    studies, fitted = {MAIN: config, **config.studies}, {MAIN: results, **variants}
    rows = [row for name in studies for row in _rows(name, fitted[name], studies[name], config)]
    return pd.DataFrame(rows)


def _rows(
    name: str, results: EventStudyResults, own: StudyConfig, config: StudyConfig
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


def _answer(results: EventStudyResults, config: StudyConfig, tests: tuple[str, ...]) -> dict[str, Any]:
    if len(results) == 0:
        blank = dict.fromkeys(("estimate", "ci_low", "ci_high"), np.nan)
        none = {"test": "", "trust": "", "statistic": np.nan, "pvalue": np.nan}
        return {
            "n_events": 0,
            **blank,
            **none,
            "reason": f"none of {len(results.events)} events could be used",
        }
    main = config.main
    name = tests[0] if tests else results.recommended_for(main)
    own = cells(results, main, [name])[name]
    test = own.result
    mean, known = interval(results, main), interval_known(results, main)
    return {
        "n_events": test.n_events, "estimate": mean.estimate,
        "ci_low": mean.low if known else np.nan, "ci_high": mean.high if known else np.nan,
        "test": test.name, "trust": own.trust, "statistic": test.statistic,
        "pvalue": test.pvalue, "reason": test.reason,
    }  # fmt: skip


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings in one line, as they stand in a study file but for the quotes."""
    return "; ".join(f"{name} = {_plain(value)}" for name, value in settings.items())


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
