"""Faults of market values and share counts (docs/faults.md)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import DataError
from ..utility import BoolArray, FloatArray, IntArray, ObjectArray, pd
from ..words import make_error
from .faults import FLAGGED, MISSING, NAMED, SeriesFault, Span, as_faults, notice_of

# A value in another unit is this many times off both of its neighbours, which are within a factor
# of 3 of each other. Jumps of such a size are doubted. As logarithms.
OFF = np.log(50)
ALIKE = np.log(3)
LIMITS = {"mcap": OFF, "shares": np.log(1.4)}
# A file is refused if more than this share of its numbers is impossible.
MOST = 0.5
# In the order of docs/faults.md; the sentences of the catalogue have their names.
SIZE_FAULTS: Mapping[str, str] = {
    "missing_size": MISSING, "impossible_size": MISSING, "size_slip": MISSING,
    "suspect_size": FLAGGED,
}  # fmt: skip


def judge_sizes(
    table: pd.DataFrame, column: str, where: str
) -> tuple[BoolArray, tuple[SeriesFault, ...], tuple[str, ...]]:
    """Return which market values or share counts stay, their faults, and a notice on each kind.

    Parameters
    ----------
    table : DataFrame
        n rows in order of ``ticker`` and ``date``, the index their places in the file; ``text`` is
        the number as the source writes it.
    column : {"mcap", "shares"}
        Column of the numbers; NaN for a blank cell or a code for a missing value.
    where : str
        The source, for messages.

    Returns
    -------
    stays : (n,) bool array
    faults : tuple of SeriesFault
    notices : tuple of str

    Raises
    ------
    DataError
        If most of the numbers are not positive, or infinite.
    """
    tickers, texts, values = (table[name].to_numpy() for name in ("ticker", "text", column))
    dates = table["date"].to_numpy().astype("datetime64[D]")
    limit = LIMITS[column]
    kinds = np.full(len(values), "", dtype=object)
    kinds[np.isnan(values)] = "missing_size"
    wrong = np.flatnonzero((values <= 0) | np.isinf(values))
    kinds[wrong] = "impossible_size"
    if len(wrong) > MOST * (~np.isnan(values)).sum():
        first = f"{where}: row {table.index[wrong[0]] + 2}, {column}"
        raise make_error(DataError, "wrong.sizes", where=first, value=texts[wrong[0]])
    for rows in _by_firm(tickers, kinds == ""):
        kinds[rows[slips(values[rows])]] = "size_slip"
        rows = rows[kinds[rows] == ""]
        jumps = np.abs(np.diff(np.log(values[rows])))
        kinds[rows[1:][jumps >= limit]] = "suspect_size"
    faults = list[SeriesFault]()
    notices = list[str]()
    for kind, action in SIZE_FAULTS.items():
        for rows in _by_firm(tickers, kinds == kind):
            spans = [Span(dates[i], dates[i], f"{where}: {texts[i]}") for i in rows]
            faults += as_faults(str(tickers[rows[0]]), kind, action, spans)
        if len(rows := np.flatnonzero(kinds == kind)):
            cells = [f"{tickers[i]} on {dates[i]} is {texts[i]}" for i in rows[:NAMED]]
            notices.append(notice_of(kind, len(rows), cells, where))
    return (kinds == "") | (kinds == "suspect_size"), tuple(faults), tuple(notices)


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
    steps = np.diff(np.log(values))
    is_back = np.abs(steps[:-1] + steps[1:]) <= ALIKE
    out[1:-1] = (np.minimum(np.abs(steps[:-1]), np.abs(steps[1:])) >= OFF) & is_back
    for i in np.flatnonzero(out).tolist():
        # Of a value and the one after it only the first is in another unit.
        out[i] = not out[i - 1]
    return out


def _by_firm(tickers: ObjectArray, chosen: BoolArray) -> list[IntArray]:
    """Return the chosen rows of each firm that has any."""
    rows = np.flatnonzero(chosen)
    return np.split(rows, np.flatnonzero(tickers[rows[1:]] != tickers[rows[:-1]]) + 1)[: len(rows)]
