"""What was done in this study where a study may do one thing or another."""

from __future__ import annotations

from collections.abc import Iterator

from ...analysis.cross_section import not_possible
from ...findings.types import Findings
from ...significance import STATISTICS
from ...utility.catalogue import say
from ...utility.flags import Flag
from ...utility.numbers import clipped, listed
from ...utility.units import words
from .regression import errors_text


def practice(findings: Findings) -> list[str]:
    """Return a sentence for each choice of the settings that came to bear on these events."""
    makers = (_repeats, _halts, _limits, _confounders, _ranks, _regression, _placebos)
    return [text for maker in makers for text in maker(findings)] if findings.setup.n_used else []


def missing_days(findings: Findings) -> str:
    """Return what becomes of an event that lacks days of a window."""
    datum = words().datum if words().what else "return"
    return say(f"practice.missing_{findings.setup.conventions['missing']}", datum=datum)


def law_of(findings: Findings) -> tuple[str, str]:
    """Return the law of the t of a single CAR, such as ``t(M − k)``, and what its letters are."""
    model = findings.setup.model
    k = model.freedom_lost[0] if len(model.freedom_lost) == 1 else None
    if k is None:
        code = "varying"
    elif model.parameters:
        code = "parameters"
    else:
        code = {0: "nothing", 1: "mean"}.get(k, "several")
    return say(f"law.{code}", k=k), say(f"law.{code}_letters", k=k)


def _repeats(findings: Findings) -> Iterator[str]:
    setup, masked = findings.setup, findings.pooled.flags.get(Flag.MASKED_DAYS, 0)
    repeat = setup.settings["repeat"]
    if repeat == "first":
        yield say("practice.first", n=setup.overlapped)
    if repeat == "keep-all" and setup.has_repeats:
        yield say("practice.keep_all")
    if masked:
        yield say("practice.masked", n=masked)


def _halts(findings: Findings) -> Iterator[str]:
    if findings.setup.settings["halt"] == "shift":
        yield say("practice.shift", n=findings.pooled.flags.get(Flag.HALT_SHIFTED, 0))


def _limits(findings: Findings) -> Iterator[str]:
    setup, rule = findings.setup, findings.setup.conventions["limits"]
    flagged = findings.pooled.flags.get(Flag.PRICE_LIMIT, 0)
    if setup.extended:
        yield say("practice.limits_extend", n=setup.extended)
    elif flagged and rule in ("drop", "none"):
        yield say(f"practice.limits_{rule}", n=flagged)


def _confounders(findings: Findings) -> Iterator[str]:
    setup, flagged = findings.setup, findings.pooled.flags.get(Flag.CONFOUNDED, 0)
    near = say("practice.near", n=setup.settings["confounder_days"], window=setup.main)
    if setup.confounded:
        yield say("practice.confounded_dropped", near=near, n=setup.confounded)
    elif flagged:
        yield say("practice.confounded_flagged", near=near, n=flagged)


def _ranks(findings: Findings) -> Iterator[str]:
    if findings.setup.conventions["fpc"]:
        yield say("practice.fpc")


def _regression(findings: Findings) -> Iterator[str]:
    table = findings.tables.get("regression")
    if table is None or table.empty or not_possible(table):
        return
    names = [clipped(name, 60) for name in findings.setup.settings["regress"]]
    yield say(
        "practice.regression_wild" if "wild_pvalue" in table else "practice.regression",
        window=findings.setup.main,
        names=listed(names) if names else say("practice.characteristics"),
        errors=errors_text(table["errors"].iloc[0]),
    )


def _placebos(findings: Findings) -> Iterator[str]:
    table = findings.tables.get("placebo")
    if table is None or table.empty:
        return
    kinds = "; and ".join(say(f"practice.placebo_{kind}") for kind in dict.fromkeys(table["kind"]))
    yield say("practice.placebo", kinds=kinds, test=STATISTICS[table["test"].iloc[0]].label)
