"""Number formats and small words; plain text, the same for terminal and page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...calendars.window import Window
from ...utility.csv_text import BLANK
from ...utility.numbers import LONGEST_CELL, MINUS, NBSP, clipped, count, window_text

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

# A flag that nearly every event carries is said once instead of beside each event.
NEARLY_ALL = 0.8
FLAGS = {
    "time_unknown": "the announcement has a date but no time",
    "day0_given": "day 0 comes from the events file",
    "short_estimation": "fewer complete estimation days than asked for",
    "multi_day_return": "a return in the event window spans several sessions",
    "incomplete_window": "the event window reaches beyond the last price",
    "missing_days": "days of the event window have no price",
    "benchmark_fallback": "another index stands in for one that lacks days",
    "confounded": "other news fall near the event",
    "fallback_model": "the model could not be estimated as asked for, a simpler one stands in",
    "halt_shifted": "the clock of the event runs over traded sessions only, as trading was halted",
    "price_limit": "a close in the event window is at its price limit, so that the return of the "
    "day is cut",
    "masked_days": "estimation days within the window of another event of the firm are left out",
    "overlapping_event": "the event window overlaps that of an earlier event of the firm",
    "suspect_price": "a price in its windows is in doubt, see the faults of prices",
    "quarantined": "an impossible return in its windows was taken as missing, see "
    "tables/faults.csv",
    "suspect_unit": "returns in its windows may be in percent, see tables/faults.csv",
    "suspect_missing_code": "a code for a missing return in its windows was taken as missing",
}
# Flags that say how day 0 was found and point at no fault of the data.
NEUTRAL_FLAGS = {"day0_given", "time_unknown"}


def firm_name(event: Mapping[Any, Any], length: int = LONGEST_CELL) -> str:
    """Return the company of an event, or the ticker where that is blank, in one line of bounded
    length."""
    company = event.get("company")
    named = isinstance(company, str) and company.strip()
    return clipped(company if named else event["ticker"], length)


def subject_of(group: str, column: str) -> str:
    """Return what the events of a group are called: ``adverse announcements``."""
    if not group:
        return "announcements"
    if group == BLANK:
        name = clipped(column or "group", 60)
        return f"announcements without {'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
    name = clipped(group, 60)
    if column in ("", "direction"):
        return f"{name} announcements"
    return f"announcements with {clipped(column, 60)} {name}"


def of_number(n: int, subject: str) -> str:
    """Return ``3 adverse announcements`` or ``1 adverse announcement``."""
    return f"{n:,} {subject.replace('announcements', 'announcement', 1) if n == 1 else subject}"


def reason_text(reason: str) -> str:
    """Return why a test is not relied on, in short: ``1 event, 5 needed``."""
    return re.sub(r"^1 events\b", "1 event", reason).replace(" to rely on it", "")


def reason_general(reason: str) -> str:
    """Return a reason without the number of one window: ``fewer than 5 events``."""
    few = re.match(r"\d+ ([\w ]+?)s?, (?:at least )?(\d+) (?:are )?needed(.*)", reason)
    if not few:
        return reason
    noun, least, purpose = few.groups()
    return f"fewer than {count(int(least), noun)}{purpose.removesuffix(' to rely on it')}"


def reason_head(reason: str) -> str:
    """Return the part of a reason that many events share, without the detail of one event."""
    return re.sub(r"^\d+ ", "too few ", reason.split(":", 1)[0].split(",", 1)[0])


def reasons(results: FittedStudy) -> list[tuple[str, int]]:
    """Return the reasons for which events were dropped, most frequent first."""
    dropped = results.events.loc[~results.ok, "reason"]
    return Counter(reason_head(str(reason)) for reason in dropped).most_common()


def flag_words(flag: str) -> str:
    """Return a flag as words."""
    return flag.replace("_", " ").strip()


def flags_of(cell: object) -> list[str]:
    """Return the flags of one event."""
    return [f.strip() for f in str(cell).split(";") if f.strip()]


def flag_counts(results: FittedStudy) -> Counter[str]:
    """Count the flags of the events used."""
    used = results.events.loc[results.ok, "flags"]
    return Counter(flag for cell in used for flag in dict.fromkeys(flags_of(cell)))


def short_reason(reason: str) -> str:
    """Return what speaks against a test without the numbers of one window."""
    return re.sub(r" \([+-][\d.]+\)", "", reason)


def in_type(text: str) -> str:
    """Set a sentence of an analysis like the page: a true minus, whole formulas."""
    text = re.sub(r"\[-?\d+,-?\d+\]", lambda m: window_text(Window.of(m[0])), text)
    text = re.sub(r"(?<![\w−])-(?=\d)", MINUS, text)
    return text.replace("1+(N-1)r", f"1{NBSP}+{NBSP}(N{NBSP}−{NBSP}1){NBSP}r")


def common_flags(results: FittedStudy) -> list[str]:
    """Return the flags that nearly every event carries."""
    return [
        f
        for f, n in flag_counts(results).items()
        if n > NEARLY_ALL * len(results) and len(results) > 1
    ]
