"""What limits a study: warnings, most serious first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...analysis.diagnosis import diagnose
from ...calendars.window import Window
from ...returns import LIKE_PERCENT
from ...utility.numbers import capitalised, count, listed, window_text
from ...utility.units import in_its_words, words
from .wording import flag_counts, reasons

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

FEW_EVENTS = 10
MANY_DROPPED = 0.1
LISTED_NOTES = 5
# Indices of these forms leave dividends out, save the ones that are known to reinvest them.
_PRICE_INDEX = re.compile(r"\^.+|000\d{3}\.SS|399\d{3}\.SZ|.+\.ME")
_ROUTINE = re.compile(
    "taken as no trade$|^[^ ]+: [\\d,]+ values? on days that [^ ]+ was closed$"
    "|^price limits judged from returns"
)
_TOTAL_RETURN = {"^GDAXI", "^MDAXI", "^TECDAX", "^SDAXI", "^SP500TR", "^BVSP", "MCFTR.ME"}


@in_its_words
def limitations(
    results: FittedStudy, window: Window, *, sample: FittedStudy | None = None
) -> list[str]:
    """Return what limits the study, most serious first, each with what it does and how to remove
    it.

    Parameters
    ----------
    results : FittedStudy
        All events.
    window : Window
        The main window.
    sample : FittedStudy, optional
        The group that the answer is about; by default all events.
    """
    if len(results) == 0:
        return _notices(results)
    answered = results if sample is None else sample
    notices = _notices(results)
    # All numbers are wrong if it is true.
    first = [text for text in notices if LIKE_PERCENT in text.lower()]
    found = [
        *first,
        _open_windows(results),
        _small_sample(answered, window),
        _pooled_directions(answered),
        _short_estimation(results),
        diagnose(answered, window).late,
        _dropped_share(results),
        _price_index(results),
        _unknown_times(results),
        *(text for text in notices if text not in first),
        *_put_aside(results),
    ]
    return [sentence for sentence in found if sentence]


def _short_estimation(results: FittedStudy) -> str:
    n = flag_counts(results)["short_estimation"]
    if n <= MANY_DROPPED * len(results):
        return ""
    shortest, have = int(results.abnormal.nobs[results.ok].min()), "has" if n == 1 else "have"
    return (
        f"{n:,} of {count(len(results), 'event')} {have} few estimation days ({shortest:,} or "
        "more). "
        "Forecast errors are large and variances uncertain; use a longer estimation window."
    )


def _open_windows(results: FittedStudy) -> str:
    n = flag_counts(results)["incomplete_window"]
    if not n:
        return ""
    return (
        f"Provisional: the event window of {n:,} of {count(len(results), 'event')} reaches beyond "
        "the last "
        f"{words().datum}. Windows that need the missing days leave these events out; run again "
        "later."
    )


def _small_sample(results: FittedStudy, window: Window) -> str:
    n = diagnose(results, window).n_events
    if len(results) < 2 or not 0 < n < FEW_EVENTS:
        return ""
    if n == 1:
        return (
            f"Only one event has all days of {window_text(window)}: the answer is about this "
            "event alone."
        )
    return (
        f"Only {n} events have all days of {window_text(window)}: intervals are wide, one event "
        "can carry "
        "the average, and tests of ranks and signs are not reliable."
    )


def _pooled_directions(results: FittedStudy) -> str:
    if "direction" not in results.events:
        return ""
    values = results.events.loc[results.ok, "direction"].astype(str).str.strip()
    kinds = sorted(set(values) - {""})
    if len(kinds) < 2:
        return ""
    shown = listed(kinds[:4]) if len(kinds) <= 4 else f"{len(kinds)} directions"
    return (
        f"Events of different direction ({shown}) are pooled: opposite reactions cancel in the "
        "mean. "
        "Split the events by direction."
    )


def _dropped_share(results: FittedStudy) -> str:
    total, dropped = len(results.events), len(results.events) - len(results)
    if dropped < MANY_DROPPED * total or not dropped:
        return ""
    (reason, n), *_ = reasons(results)
    # Where most are lost this is the caveat of the answer.
    so = " If the dropped events differ from the rest, this average is not representative."
    return (
        f"{dropped:,} of {count(total, 'announcement')} could not be used; most frequent reason: "
        f"{reason} "
        f"({n:,}).{so * (dropped <= total / 2)}"
    )


def is_price_index(symbol: str) -> bool:
    """Tell whether an index is known to leave out dividends."""
    return bool(_PRICE_INDEX.fullmatch(symbol)) and symbol not in _TOTAL_RETURN


def _price_index(results: FittedStudy) -> str:
    if not any(f.name == "market" for f in results.model.factors) or words().quantity:
        return ""
    used = dict.fromkeys(str(b) for b in results.events.loc[results.ok, "benchmark"])
    indices = [b for b in used if is_price_index(b)]
    if not indices:
        return ""
    what = f"{listed(indices)} {'is a price index' if len(indices) == 1 else 'are price indices'}"
    effect = (
        "The estimated intercept absorbs most of the difference"
        if "alpha" in results.model.parameters
        else "The difference stays in the abnormal returns"
    )
    remedy = "use a total-return index to remove it"
    return f"{what} while the shares are adjusted for dividends. {effect}; {remedy}."


def _unknown_times(results: FittedStudy) -> str:
    n, total = flag_counts(results)["time_unknown"], len(results)
    if not n:
        return ""
    who = (
        "Every announcement has" if n == total else f"{n:,} of {count(total, 'announcement')} have"
    )
    return (
        f"{who} a date but no time, so that the first reaction can fall on day 0 or day +1. "
        "Judge by a window that covers both, or add the times."
    )


def _notices(results: FittedStudy) -> list[str]:
    """Return the notices on prices as sentences."""
    told = results.panel.notices
    return [_sentence(text) for text in told if not (len(results) and _about_data(results, text))]


@in_its_words
def data_notes(results: FittedStudy) -> list[str]:
    """Return the notes on prices that change no reading of the answer, as sentences.

    What is done as a matter of course, whose traces in a window are flags of its event, and what is
    of a series that no event used needs.
    """
    texts = [*results.panel.notices, *results.panel.notes]
    return [_sentence(text) for text in texts if len(results) and _about_data(results, text)]


def _about_data(results: FittedStudy, text: str) -> bool:
    if _ROUTINE.search(text):
        return True
    symbol, colon, _ = text.partition(": ")
    used = results.events.loc[results.ok, ["ticker", "benchmark"]].astype(str).to_numpy().ravel()
    mine = {part.strip() for cell in used for part in cell.split(";")}
    return bool(colon) and symbol in results.panel.provenance and symbol not in mine


def _sentence(text: str) -> str:
    return f"{capitalised(text).removesuffix('.')}."


def _put_aside(results: FittedStudy) -> list[str]:
    notes = [_sentence(note) for note in results.panel.notes if not _about_data(results, note)]
    left = len(notes) - LISTED_NOTES
    return (
        notes
        if left <= 0
        else [*notes[:LISTED_NOTES], f"{count(left, 'similar note')} not listed."]
    )
