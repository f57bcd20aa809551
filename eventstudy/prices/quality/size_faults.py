"""Faults of market values and share counts, and their treatment (docs/faults.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ...errors import DataError
from ...utility.typing import BoolArray, DateArray, FloatArray, IntArray, ObjectArray
from .fault_kinds import FLAGGED, MISSING, NAMED, SeriesFault, as_faults
from .gate import notice_of
from .quotes import Span

# A value in another unit is this many times off both of its neighbours, which are within a factor
# of 3 of each other; a share count that moves by more is doubted. As logarithms.
OFF, ALIKE, ISSUED = np.log(50), np.log(3), np.log(1.4)
# A column is refused if more than this share of its numbers is impossible.
MOST = 0.5
# Letters of a cell that messages repeat.
LONGEST = 40
# In the order of docs/faults.md; the sentences of the catalogue have their names.
SIZE_FAULTS: Mapping[str, str] = {
    "missing_size": MISSING, "impossible_size": MISSING, "size_slip": MISSING,
    "suspect_size": FLAGGED,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SizeColumn:
    """Market values or share counts as a source has them, (n,) in order of ticker and date.

    Attributes
    ----------
    tickers : (n,) object array
    dates : (n,) datetime64[D] array
    values : (n,) float array
        NaN for a blank cell or a code for a missing value.
    texts : (n,) object array
        As the source writes them.
    where : str
        The source, for messages.
    is_count : bool
        Whether these are share counts, which hardly move.
    """

    tickers: ObjectArray
    dates: DateArray
    values: FloatArray
    texts: ObjectArray
    where: str
    is_count: bool

    def judged(self) -> tuple[BoolArray, list[SeriesFault], list[str]]:
        """Return which values stay, shape (n,), the faults, and a notice on each kind of them.

        Raises
        ------
        DataError
            If most of the numbers are not positive or infinite.
        """
        kinds = np.full(len(self.values), "", dtype=object)
        kinds[np.isnan(self.values)] = "missing_size"
        kinds[(self.values <= 0) | np.isinf(self.values)] = "impossible_size"
        wrong = np.flatnonzero(kinds == "impossible_size")
        if len(wrong) > MOST * np.count_nonzero(kinds != "missing_size"):
            message, first = "most numbers are not positive, or infinite", wrong[0]
            at = f"{self.where}: {self.tickers[first]} on {self.dates[first]}"
            remedy = "market values and share counts are above 0"
            raise DataError(message, where=at, value=self._text(first), remedy=remedy)
        for rows in self._by_firm(kinds == ""):
            kinds[rows[slips(self.values[rows])]] = "size_slip"
            rows = rows[kinds[rows] == ""]
            jumps = np.abs(np.diff(np.log(self.values[rows])))
            kinds[rows[1:][jumps >= (ISSUED if self.is_count else OFF)]] = "suspect_size"
        stays = (kinds == "") | (kinds == "suspect_size")
        return stays, list(self._faults(kinds)), list(self._notices(kinds))

    def _by_firm(self, chosen: BoolArray) -> list[IntArray]:
        """Return the chosen rows of each firm that has any."""
        rows = np.flatnonzero(chosen)
        firms = np.flatnonzero(self.tickers[rows[1:]] != self.tickers[rows[:-1]]) + 1
        return np.split(rows, firms) if len(rows) else []

    def _faults(self, kinds: ObjectArray) -> Iterator[SeriesFault]:
        for kind, action in SIZE_FAULTS.items():
            for rows in self._by_firm(kinds == kind):
                details = (f"{self.where}: {self._text(i)}" for i in rows)
                spans = [*map(Span, self.dates[rows], self.dates[rows], details)]
                yield from as_faults(str(self.tickers[rows[0]]), kind, action, spans)

    def _text(self, i: int) -> str:
        return str(self.texts[i])[:LONGEST] or "blank"

    def _notices(self, kinds: ObjectArray) -> Iterator[str]:
        for kind in SIZE_FAULTS:
            rows = np.flatnonzero(kinds == kind)
            cells = (f"{self.tickers[i]} on {self.dates[i]} is {self._text(i)}" for i in rows)
            if len(rows):
                yield notice_of(kind, len(rows), list(islice(cells, NAMED)), self.where)


def slips(values: FloatArray) -> BoolArray:
    """Return which values are in another unit than both of their neighbours.

    Parameters
    ----------
    values : (n,) float array
        Of one firm, positive, in order of time.

    Returns
    -------
    (n,) bool array
    """
    out = np.zeros(len(values), dtype=bool)
    there, back = np.diff(np.log(values))[:-1], np.diff(np.log(values))[1:]
    out[1:-1] = (np.abs(there) >= OFF) & (np.abs(back) >= OFF) & (np.abs(there + back) <= ALIKE)
    for i in np.flatnonzero(out).tolist():
        # Of a value and the one after it only the first is in another unit.
        out[i] = not out[i - 1]
    return out
