"""How far to trust each test here: the kind of study, the numbers behind it, and an opinion on each
test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ...analysis.diagnosis import diagnose
from ...analysis.opinions import NOT_VALID, VALID, WITH_CARE, Opinion, percent
from ...fitting.large_samples import many
from ...significance import STATISTICS, Statistic
from ...utility.numbers import LEVEL, MISSING, capitalised, clipped, count, pvalue, signed
from ..content.shown_tests import shown_tests
from ..content.subject import Page
from ..content.wording import in_type

ORDER = (VALID, WITH_CARE, NOT_VALID)
WORST = 5
# Column of diagnostics.csv, and what it means when its p is below the level.
FAULTS = {
    "arch_p": "variance that clusters in time (ARCH)", "ljung_box_p": "autocorrelated residuals",
    "chow_p": "other parameters in the second half (Chow)", "cusum_p": "drifting residuals (CUSUM)",
    "jarque_bera_p": "residuals that are not normal",
}  # fmt: skip


def trust_section(page: Page) -> dict[str, Any] | None:
    """Return the diagnosis in sentences, its table of tests, and the diagnostics of the
    regressions.

    None where no event has the main window: there is nothing to be trusted.
    """
    found = diagnose(page.sample, page.main)
    if found.n_events == 0:
        return None
    ranked = sorted(found.opinions, key=lambda v: (v.test != found.main_test, ORDER.index(v.trust)))
    usual = set(shown_tests(page.sample, page.main, page.config.tests))
    return {
        "text": [in_type(sentence) for sentence in found.text],
        "shown": [_row(v) for v in ranked if v.test in usual],
        "others": [_row(v) for v in ranked if v.test not in usual],
        "main_test": found.main_test,
        "subject": page.subject,
        "regressions": _regressions(page),
    }


def _row(v: Opinion) -> tuple[Statistic, str, str, str, str]:
    """Return test, p, false-alarm rate, trust and reason."""
    rate = percent(v.false_alarms) if np.isfinite(v.false_alarms) else MISSING
    return STATISTICS[v.test], pvalue(v.pvalue), rate, v.trust, _reason(v.reason)


def _reason(reason: str) -> str:
    return capitalised(in_type(reason))


def _regressions(page: Page) -> dict[str, Any] | None:
    """Return which share of the estimations has which fault, and the events that have most."""
    table = page.tables.get("diagnostics")
    if table is None or len(table) < 1:
        return None
    rejects = table[list(FAULTS)] < LEVEL
    known = table[list(FAULTS)].notna().sum()
    said = [
        f"{int(rejects[name].sum()):,} of {int(known[name]):,}: {what}"
        for name, what in FAULTS.items()
        if known[name]
    ]
    of_many = f" listed of {len(page.results):,}, those with the most unusual CARs," * many(
        page.results
    )
    return {
        "lede": f"Tests at 5% of the {count(len(table), 'estimation')}{of_many or ','} "
        "where 1 in 20 is found by chance.",
        "faults": said,
        "whose": "The listed events" if of_many else "All events",
        "worst": _worst(table, rejects),
    }


def _worst(table: pd.DataFrame, rejects: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return event, fit and the p-values of the events with most faults, those with the smallest p
    first."""
    many, least = rejects.sum(axis=1), table[list(FAULTS)].min(axis=1)
    order = (
        pd.DataFrame({"many": -many, "least": least})
        .sort_values(["many", "least"], kind="stable")
        .index
    )
    return [
        (
            clipped(row["event_id"], 60), f"{row['nobs']:,}", signed(row["r2"], sign=False),
            signed(row["durbin_watson"], sign=False), *(pvalue(row[name]) for name in FAULTS),
        )
        for row in table.loc[[i for i in order if many[i]][:WORST]].to_dict("records")
    ]  # fmt: skip
