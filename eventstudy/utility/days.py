"""Dates that are not written as ISO 8601: which number is the day is read off the file."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Three numbers, or a day, the name of a month and a year; behind them what is no part of the date.
_NUMBERS = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?=[T ,]|$)(.*)", re.ASCII | re.DOTALL)
_DAY_FIRST = re.compile(
    r"(\d{1,2})[ -]?([a-z]{3})[a-z]*\.?[ -]?(\d{4})(?=[T ,]|$)(.*)", re.I | re.A
)
_MONTH_FIRST = re.compile(r"([a-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})(?=[T ,]|$)(.*)", re.I | re.A)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS_IN_YEAR, DIGITS_OF_YEAR = 12, 4


def day_order(texts: Iterable[str]) -> str:
    """Return which number of dates such as 31/10/2022 comes first.

    Parameters
    ----------
    texts : iterable of str
        All dates of a file; others than these are passed over.

    Returns
    -------
    {"day", "month", ""}
        "" where no date proves it, or where they contradict each other.

    Examples
    --------
    >>> day_order(["04/01/2016", "31/10/2016"]), day_order(["4/1/2016"])
    ('day', '')
    """
    day_first = month_first = False
    for text in texts:
        match = _NUMBERS.fullmatch(text)
        if match and len(match[1]) < DIGITS_OF_YEAR:
            day_first |= int(match[1]) > MONTHS_IN_YEAR
            month_first |= int(match[3]) > MONTHS_IN_YEAR
    if day_first == month_first:
        return ""
    return "day" if day_first else "month"


def iso_of(text: str, order: str) -> str:
    """Return a date as ISO 8601 has it, or the text itself where it cannot be read.

    Parameters
    ----------
    text : str
        Such as 31/10/2022, 2022.10.31 or 31 Oct 2022; what stands behind the date stays.
    order : {"day", "month", ""}
        As of `day_order`.

    Examples
    --------
    >>> iso_of("31/10/2022", "day"), iso_of("Oct 31, 2022", ""), iso_of("4/1/2016", "")
    ('2022-10-31', '2022-10-31', '4/1/2016')
    """
    if match := _NUMBERS.fullmatch(text):
        first, _, second, third, rest = match.groups()
        if len(first) == DIGITS_OF_YEAR:
            year, month, day = first, second, third
        elif len(third) == DIGITS_OF_YEAR and order:
            year = third
            day, month = (first, second) if order == "day" else (second, first)
        else:
            return text
    elif match := _DAY_FIRST.fullmatch(text):
        day, name, year, rest = match.groups()
        month = _number_of(name)
    elif match := _MONTH_FIRST.fullmatch(text):
        name, day, year, rest = match.groups()
        month = _number_of(name)
    else:
        return text
    return f"{year}-{int(month):02d}-{int(day):02d}{rest}" if int(month) else text


def _number_of(name: str) -> str:
    """Return the number of a month, or 0 for another word."""
    return str(_MONTHS.index(name.lower()) + 1 if name.lower() in _MONTHS else 0)
