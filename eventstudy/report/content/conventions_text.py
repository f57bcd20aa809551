"""What was done in this study where a study may do one thing or another, in sentences with their
sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...abnormal.limit_runs import EXTENDING
from ...analysis.cross_section import not_possible
from ...significance import STATISTICS
from ...utility.numbers import clipped, count, listed, window_text
from ...utility.units import words
from .subject import Page
from .wording import flag_counts

if TYPE_CHECKING:
    from ...abnormal.conventions import Conventions
    from ...fitting.fitted import FittedStudy

# What a covariance that allows for unequal variances is from, by its name.
COVARIANCES = {
    "HC0": "HC0 (White 1980)", "HC1": "HC1 (MacKinnon and White 1985)",
    "HC2": "HC2 (MacKinnon and White 1985)", "HC3": "HC3 (MacKinnon and White 1985)",
    "HAC": "HAC (Newey and West 1987)",
}  # fmt: skip
ERRORS = {
    **{name: f"errors {text}" for name, text in COVARIANCES.items()},
    "nonrobust": "classical errors",
    "CR2": "errors clustered by event date, CR2 with Satterthwaite's degrees of freedom (Bell and "
    "McCaffrey 2002)",
}  # fmt: skip
MISSING_DAYS = {
    "drop": "An event without all days of a window is left out of that window; a missing {datum} "
    "is never "
    "taken as zero.",
    "rescale": "An event that lacks days of a window enters it with the sum over the days that it "
    "has, times "
    "the days of the window over these, and the variance with the square of that; one without any "
    "day "
    "of the window is left out of it.",
    "zero": "An event that lacks days of a window enters it with the sum over the days that it "
    "has and the "
    "variance of these, as if nothing abnormal had happened on the others; one without any day of "
    "the "
    "window is left out of it.",
}

# How the reason of an event begins that overlaps an earlier one of its firm.
OVERLAPPED = "within the event window of event "


def practice(page: Page) -> list[str]:
    """Return a sentence for each choice of the settings that came to bear on these events."""
    parts = (_repeats, _halts, _limits, _confounders, _ranks, _regression, _placebos)
    return [text for part in parts for text in part(page)]


def missing_days(conventions: Conventions) -> str:
    """Return what becomes of an event that lacks days of a window."""
    return MISSING_DAYS[conventions.missing].format(
        datum=words().datum if words().what else "return"
    )


def law_of(results: FittedStudy) -> str:
    """Return the law of the t of a single CAR: ``t(M − k), M being the complete estimation days
    ...``."""
    a, ok, parameters = results.abnormal, results.ok, results.model.parameters
    less = np.unique((a.nobs - a.df_resid)[ok])
    of = "M being the complete estimation days"
    if less.size != 1:
        return f"t(M − k), {of} and k the parameters or weights of the event"
    k = int(less[0])
    if parameters:
        return f"t(M − k), {of} and k = {k} the parameters"
    if k == 1:
        return (
            f"t(M − 1), {of}: no parameter is estimated (k = 0), and the variance is around the "
            "mean"
        )
    return (
        f"t(M − {k}), {of}"
        if k
        else f"t(M), {of}: nothing is estimated but the variance, around zero"
    )


def _repeats(page: Page) -> Iterator[str]:
    used = page.results.events.loc[page.results.ok, "ticker"]
    kept = page.config.repeat
    if kept == "first":
        lost = page.results.events["reason"].str.startswith(OVERLAPPED).sum()
        yield (
            f"Of events of a firm whose event windows overlap the first is kept ({lost:,} left "
            "out)."
        )
    if kept == "keep-all" and used.duplicated().any():
        yield "Other events of a firm are neither left out nor masked in its estimation window."
    if n := flag_counts(page.results)["masked_days"]:
        yield (
            "Estimation days within the event window of another event of the same firm are left "
            "out "
            f"({count(n, 'event')})."
        )


def _halts(page: Page) -> Iterator[str]:
    if page.config.halt == "shift":
        n = flag_counts(page.results)["halt_shifted"]
        yield (
            "Sessions on which a share was halted leave the clock of its event: day −1 is the "
            "last session "
            f"traded before the announcement, day 0 the first one from it on ({count(n, 'event')})."
        )


def _limits(page: Page) -> Iterator[str]:
    a, rule = page.results.abnormal, page.results.abnormal.conventions.limits
    flagged = flag_counts(page.results)["price_limit"]
    reached = (
        np.any([a.extended(w) for w in page.config.tested], axis=0).sum()
        if rule in EXTENDING
        else 0
    )
    if reached:
        yield (
            "A window whose last day closes at a price limit runs on to the first close off it, "
            "as one "
            f"compounded return ({count(int(reached), 'event')} in some window); the daily path "
            "and tests "
            "that rest on single days use windows that end as they are."
        )
    elif flagged and rule == "drop":
        yield f"An event leaves a window that closes at a price limit ({count(flagged, 'event')})."
    elif flagged and rule == "none":
        yield f"Closes at a price limit ({count(flagged, 'event')}) are taken as any other price."


def _confounders(page: Page) -> Iterator[str]:
    results, days = page.results, page.config.confounder_days
    lost = int(results.events["reason"].str.startswith("confounded").sum())
    flagged = flag_counts(results)["confounded"]
    near = (
        f"within {count(days, 'session')} of {window_text(page.main)}, or named by the list of "
        "events"
    )
    if lost:
        yield f"Events with other news ({near}) are left out ({lost:,})."
    elif flagged:
        yield f"Events with other news ({near}) are flagged and kept ({flagged:,})."


def _ranks(page: Page) -> Iterator[str]:
    if page.results.abnormal.conventions.fpc:
        yield (
            "Rank statistics of a window of L of T days are divided by √((T − L) / (T − 1)), "
            "since ranks are "
            "drawn without replacement."
        )


def _regression(page: Page) -> Iterator[str]:
    table = page.tables.get("regression")
    if table is None or table.empty or not_possible(table):
        return
    errors = str(table["errors"].iloc[0])
    on = listed(
        clipped(name, 60) for name in page.config.regress or ["characteristics of the events"]
    )
    wild = ", and p-values of a wild bootstrap by date (Cameron, Gelbach and Miller 2008)"
    yield (
        f"CARs over {window_text(page.main)} are regressed on {on} by least squares, with "
        f"{ERRORS.get(errors, errors)}{wild * ('wild_pvalue' in table)}."
    )


def _placebos(page: Page) -> Iterator[str]:
    table = page.tables.get("placebo")
    if table is None or table.empty:
        return
    how = {
        "dates": "with all events moved by one common shift and the model estimated anew",
        "firms": "with firms that the event left alone in the place of each firm, on the same days",
    }
    test = STATISTICS[table["test"].iloc[0]].label
    moved = "; and ".join(how[kind] for kind in dict.fromkeys(table["kind"]))
    yield (
        "Placebo studies repeat the study where nothing happened, after Bertrand, Duflo and "
        "Mullainathan "
        f"(2004): {moved}. p is (1 + the number of them whose {test} is at least as far from "
        "zero) / (1 + "
        "their number)."
    )
