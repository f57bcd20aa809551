"""How far to trust each test: the kind of study, the numbers behind it, and each opinion."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ...analysis.diagnosis import NOT_VALID, VALID, WITH_CARE, Opinion
from ...findings.types import Findings
from ...significance import STATISTICS, Statistic
from ...utility.catalogue import say
from ...utility.numbers import LEVEL, clipped, pvalue, signed
from .subject import subject

ORDER = (VALID, WITH_CARE, NOT_VALID)
WORST = 5
# Columns of diagnostics.csv with p-values; what each means is in the catalogue.
FAULTS = ("arch_p", "ljung_box_p", "chow_p", "cusum_p", "jarque_bera_p")


@dataclass(frozen=True, slots=True)
class Judged:
    """A test with the opinion on it."""

    test: Statistic
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class Regressions:
    """Diagnostics of the estimation regressions.

    Attributes
    ----------
    lede : str
    faults : list of str
        How many estimations show each fault.
    whose : str
        Which events the table has.
    worst : list of tuple of str
        Event, days, R2, Durbin-Watson, and the p-values, of the events with most faults.
    """

    lede: str
    faults: list[str]
    whose: str
    worst: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Trust:
    """The diagnosis in sentences, its table of tests, and the diagnostics of the regressions."""

    text: list[str]
    shown: list[Judged]
    others: list[Judged]
    main_test: str
    subject: str
    regressions: Regressions | None


def trust(findings: Findings) -> Trust | None:
    """Return the diagnosis; None where no event has the main window."""
    sample = findings.sample
    diagnosis = sample.diagnosis
    if diagnosis is None or diagnosis.n_events == 0:
        return None
    main_test = diagnosis.main_test
    ranked = sorted(diagnosis.opinions, key=lambda v: (v.test != main_test, ORDER.index(v.trust)))
    judged = [Judged(STATISTICS[opinion.test], opinion) for opinion in ranked]
    return Trust(
        text=diagnosis.text,
        shown=[one for one in judged if one.opinion.test in sample.shown],
        others=[one for one in judged if one.opinion.test not in sample.shown],
        main_test=main_test,
        subject=subject(findings),
        regressions=_regressions(findings),
    )


def _regressions(findings: Findings) -> Regressions | None:
    table = findings.tables.get("diagnostics")
    if table is None or table.empty:
        return None
    pvalues = table[list(FAULTS)]
    rejects, tested = pvalues < LEVEL, pvalues.notna().sum()
    kind = "sampled" if findings.setup.is_sampled else "all"
    return Regressions(
        lede=say(f"trust.regressions_{kind}", n=len(table), total=findings.setup.n_used),
        faults=[
            say(f"trust.{name}", n=int(rejects[name].sum()), total=int(tested[name]))
            for name in FAULTS
            if tested[name]
        ],
        whose=say(f"trust.whose_{kind}"),
        worst=_worst(table, rejects),
    )


def _worst(table: pd.DataFrame, rejects: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the rows of the events with most faults, those with the smallest p first."""
    order = pd.DataFrame({"n": -rejects.sum(axis=1), "least": table[list(FAULTS)].min(axis=1)})
    rows = order[order["n"] < 0].sort_values(["n", "least"], kind="stable").index[:WORST]
    return [
        (
            clipped(row["event_id"], 60), f"{row['nobs']:,}", signed(row["r2"], sign=False),
            signed(row["durbin_watson"], sign=False), *(pvalue(row[name]) for name in FAULTS),
        )
        for row in table.loc[rows].to_dict("records")
    ]  # fmt: skip
