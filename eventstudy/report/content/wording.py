"""Number formats and small words; plain text, the same for terminal and page."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.units import words
from ...calendars.window import Window
from ...utility import pvalue_text as pvalues
from ...utility.csv_text import BLANK

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

MISSING = pvalues.MISSING
MINUS = "\u2212"
NBSP = "\u00a0"
LONGEST_CELL = 240
# A flag that nearly every event carries is said once instead of beside each event.
NEARLY_ALL = 0.8
_WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
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
_GREEK = {"alpha": "α", "beta": "β", "mu": "μ", "gamma": "γ", "sigma": "σ"}


def signed(value: float, decimals: int = 2, *, sign: bool = True) -> str:
    """Format a number with a true minus and, unless it is zero, a sign: ``+0.30``, ``−1.02``,
    ``0.00``."""
    if not np.isfinite(value):
        return MISSING
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def percent(value: float, *, sign: bool = True, unit: bool = True, decimals: int = 2) -> str:
    """Format a decimal return in percent: ``−1.02%``, or ``−1.02`` without the unit; else in log
    points."""
    text = signed(words().scale * value, decimals, sign=sign)
    return text + words().unit if unit and text != MISSING else text


def bound(value: float, *, unit: bool = True) -> str:
    """Format an end of an interval as :func:`percent` does, with the digits that tell its side of
    zero."""
    size = abs(words().scale * value)
    decimals = next((d for d in range(2, 7) if round(size, d)), 2)
    return percent(value, unit=unit, decimals=decimals)


def span(low: float, high: float, *, unit: bool = True) -> str:
    """Format an interval of returns: ``−2.04% to +0.01%``."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return MISSING
    return f"{bound(low, unit=unit and words().unit == '%')} to {bound(high, unit=unit)}"


def day(tau: int) -> str:
    """Format an event day: ``−1``, ``0``, ``+1``."""
    return signed(tau, 0)


def window_text(window: Window) -> str:
    """Format a window: ``[−1, 1]``."""
    start, stop = (signed(v, 0, sign=False) for v in (window.start, window.stop))
    return f"[{start},{NBSP}{stop}]"


def date_iso(value: object) -> str:
    """Format a date for a table: ``2022-09-01``."""
    date = _date(value)
    return date.isoformat() if date else MISSING


def date_prose(value: object) -> str:
    """Format a date for a sentence: ``1 Sep 2022``."""
    date = _date(value)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{date.day}{NBSP}{months[date.month - 1]}{NBSP}{date.year}" if date else MISSING


def _date(value: object) -> dt.date | None:
    stamp = np.datetime64(value, "D")  # type: ignore[call-overload]
    return None if np.isnat(stamp) else stamp.astype(dt.date)


def count(n: int, noun: str) -> str:
    """Return ``1 event``, ``2 events``."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def capitalised(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as a host or a
    file."""
    first = text.split(maxsplit=1)[:1]
    named = any(
        re.search(r"[a-z0-9][./_:@=^\\][\w.]|[/_:@=^\\]|[a-z][A-Z]", word) for word in first
    )
    return text if named else text[:1].upper() + text[1:]


def expected(number: float) -> str:
    """Return how many are expected: ``3,802``, ``3.2``, ``0.15``."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def number_word(n: int, *, capital: bool = False) -> str:
    """Return a small number in words, a large one in digits."""
    word = _WORDS[n] if n < len(_WORDS) else f"{n:,}"
    return word.capitalize() if capital else word


def listed(items: Iterable[str]) -> str:
    """Join with commas and a last "and"."""
    *head, last = list(items)
    return f"{', '.join(head)} and {last}" if head else last


def level_text(level: float) -> str:
    """Format a level of significance: ``5%``."""
    return f"{100 * level:g}%"


def clipped(value: object, length: int = LONGEST_CELL) -> str:
    """Return a cell of the events file as one line of bounded length."""
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def cell_text(value: object) -> str:
    """Return a cell as text; "" for what is blank or missing."""
    return "" if value is None or value != value else str(value).strip()


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


def parameter_letter(text: str) -> str:
    """Write the names of Greek letters as letters."""
    return re.sub(r"[a-z]{2,}", lambda m: _GREEK.get(m[0], m[0]), text)


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
