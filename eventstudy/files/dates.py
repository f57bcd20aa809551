"""Dates that are not written as ISO 8601: which number is the day is read off the file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .tables import strip

# Three numbers, or a day, the name of a month and a year; behind them what is no part of the date.
_NUMBERS = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?=[T ,]|$)(.*)", re.ASCII | re.DOTALL)
_DAY_FIRST = re.compile(
    r"(\d{1,2})[ -]?([a-z]{3})[a-z]*\.?[ -]?(\d{4})(?=[T ,]|$)(.*)", re.I | re.A
)
_MONTH_FIRST = re.compile(r"([a-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})(?=[T ,]|$)(.*)", re.I | re.A)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS_IN_YEAR = 12
DIGITS_OF_YEAR = 4


@dataclass(frozen=True, slots=True)
class DateOrder:
    """Which number of dates such as 31/10/2022 comes first.

    Attributes
    ----------
    first : {"day", "month", ""}
        "" where no date proves it, or where they contradict each other.

    Examples
    --------
    >>> DateOrder.of(["04/01/2016", "31/10/2016"]), DateOrder.of(["4/1/2016"])
    (DateOrder(first='day'), DateOrder(first=''))
    """

    first: str = ""

    @classmethod
    def of(cls, texts: Iterable[str]) -> DateOrder:
        """Return the order of all dates of a file; other texts are passed over.

        Dates with dots prove nothing about dates with slashes, which other people write.
        """
        day_first = month_first = False
        used = set()
        proven = set()
        for text in texts:
            match = _NUMBERS.fullmatch(strip(text))
            if match and len(match[1]) < DIGITS_OF_YEAR:
                is_day, is_month = (int(match[k]) > MONTHS_IN_YEAR for k in (1, 3))
                day_first |= is_day
                month_first |= is_month
                used.add(match[2])
                if is_day or is_month:
                    proven.add(match[2])
        if day_first == month_first or used != proven:
            return cls()
        return cls("day" if day_first else "month")

    def iso(self, text: str) -> str:
        """Return a date as ISO 8601 has it, or the text itself where it cannot be read.

        Parameters
        ----------
        text : str
            Such as 31/10/2022, 2022.10.31 or 31 Oct 2022; what stands behind the date stays.

        Examples
        --------
        >>> DateOrder("day").iso("31/10/2022"), DateOrder().iso("Oct 31, 2022")
        ('2022-10-31', '2022-10-31')
        """
        text = strip(text)
        if match := _NUMBERS.fullmatch(text):
            first, _, second, third, rest = match.groups()
            if len(first) == DIGITS_OF_YEAR:
                year, month, day = first, second, third
            elif len(third) == DIGITS_OF_YEAR and self.first:
                year = third
                day, month = (first, second) if self.first == "day" else (second, first)
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
