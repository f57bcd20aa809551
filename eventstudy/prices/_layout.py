"""The layouts of price files that people have: columns, headers of two lines, dates, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import BadAnswerError
from ..files import DateOrder, SecurityColumns, as_text, number_of, strip
from ..utility import pd
from ..words import make_error, say, words
from ._base import NUMBER_COLUMNS

# The names of a column in other files, in small letters without anything between; best first.
SYNONYMS = {
    "symbol": ("ticker", "tscode", "instrument"),
    "date": ("datetime", "timestamp", "tradedate", "snappedat", "datum", "fecha", "time"),
    "open": ("ouv", "eröffn", "apertura"),
    "high": ("plushaut", "hoch", "máximo"),
    "low": ("plusbas", "tief", "mínimo"),
    "close": (
        "closelast", "closeprice", "priceclose", "closingprice", "price", "pxlast", "last",
        "lastprice", "prc", "dernier", "zuletzt", "último",
    ),
    "adj_close": ("adjclose", "adjusted", "adjustedclose", "adjcls", "closeadj"),
    "volume": ("vol", "totalvolume", "pxvolume"),
}  # fmt: skip
RECOGNISED = ("symbol", "date", "currency", *NUMBER_COLUMNS)
# Of a table whose closes are adjusted.
ADJUSTED = "closes are adjusted"
# So usual that nothing is said of them.
USUAL = ("ticker", "datetime", "timestamp", *SYNONYMS["adj_close"])
CLOSES = frozenset({"close", "adj_close"})
BARS = frozenset({"open", "high", "low"})
FIELDS = frozenset({*BARS, "close", "adjclose", "volume"})
# Such as Close_NVDA or NVDA_Close.
FIELD = "Open|High|Low|Close|Adj[ _]?Close|Volume|Dividends|Stock[ _]?Splits"
FLAT = re.compile(
    rf"(?P<first>{FIELD})[_ ](?P<last>.+)|(?P<ticker>.+)[_ ](?P<field>{FIELD})", re.IGNORECASE
)
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}", re.ASCII)
# A comma that must be that of decimals, and one that must part thousands.
DECIMAL = re.compile(r",(\d{1,2}|\d{4,})\D*$|\.\d{3},")
THOUSANDS = re.compile(r",\d{3}[.,]")
# A whole number whose points part thousands, or nothing.
GROUPED = re.compile(r"[1-9]\d{0,2}(\.\d{3})*|0|-|", re.ASCII)
UNITS = {"K": 1e3, "M": 1e6, "B": 1e9}
SIGNS_OF_MONEY = "$€£¥"


def lay_out(frame: pd.DataFrame, file: str) -> tuple[pd.DataFrame, list[str]]:
    """Return a table with common names for its columns and ISO dates, and what was taken for what.

    Parameters
    ----------
    frame : DataFrame
        As read; the index holds line numbers.
    file : str

    Returns
    -------
    frame : DataFrame
        Long, wide or of one ticker, with a column ``date``.
    notes : list of str

    Raises
    ------
    BadAnswerError
        If it is a file of CRSP, a column occurs twice, or there is no column of dates.
    """
    notes = list[str]()
    frame = _nested_as_text(frame)
    if SecurityColumns(frame.columns).is_crsp:
        raise make_error(BadAnswerError, "wrong.crsp_prices", where=file)
    if frame.columns.nlevels > 1 and not set(map(_key, frame.columns[0])).isdisjoint(FIELDS):
        raise lacks_column("wrong.no_date_column", frame, file)
    if (stacked := _stack_tickers(frame)) is not None:
        notes.append(say("price_rows.two_headers"))
        frame = stacked
    elif frame.columns.nlevels > 1:
        raise lacks_column("wrong.no_close_column", frame, file)
    elif _key(frame.columns.name) == "price" and "adjclose" not in map(_key, frame):
        frame = frame.assign(**{ADJUSTED: True})
    frame = _name_columns(frame, file, notes)
    if "date" not in frame:
        raise lacks_column("wrong.no_date_column", frame, file)
    return _with_iso_dates(frame, file, notes), notes


def _nested_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the text of lists and structures, which are no dates and no numbers."""
    columns = [frame.iloc[:, k] for k in range(frame.shape[1])]
    mixed = [k for k, cells in enumerate(columns) if pd.api.types.infer_dtype(cells) == "mixed"]
    for k in mixed:
        is_nested = columns[k].map(pd.api.types.is_list_like)
        columns[k] = columns[k].where(~is_nested, columns[k].map(str))
    return pd.concat(columns, axis=1).set_axis(frame.columns, axis=1) if mixed else frame


def name_columns(frame: pd.DataFrame, file: str) -> list[str]:
    """Return the common names for the columns of a table; none where its header holds tickers.

    Parameters
    ----------
    frame : DataFrame
        Without rows.
    file : str

    Raises
    ------
    BadAnswerError
        If a column occurs twice.
    """
    if SecurityColumns(frame.columns).is_crsp or _stack_tickers(frame) is not None:
        return []
    return list(map(str, _name_columns(frame, file, [])))


def is_close(name: object) -> bool:
    """Return whether a column of this name has closes, adjusted or not."""
    return _common(str(name)) in CLOSES or _key(name) in SYNONYMS["close"]


def _key(name: object) -> str:
    return "".join(letter for letter in str(name).lower() if letter.isalnum())


def _stack_tickers(frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return a table with prices and tickers in its headers as a long one; None for another."""
    levels, titles, body = _levels_of(frame)
    is_field = ["close" in map(_key, level) or "adjclose" in map(_key, level) for level in levels]
    if sum(is_field) != 1:
        return None
    fields, tickers = levels if is_field[0] else levels[::-1]
    # yfinance has one column of closes, unless it was asked not to adjust them.
    is_adjusted = set(titles) == {"price", "ticker"} and "adjclose" not in map(_key, fields)
    pieces = []
    for ticker in dict.fromkeys(filter(None, map(strip, tickers))):
        places = [k + 1 for k, name in enumerate(tickers) if strip(name) == ticker]
        piece = body.iloc[:, [0, *places]]
        piece = piece.set_axis(["date", *(fields[k - 1] for k in places)], axis=1)
        pieces.append(piece.assign(symbol=ticker, **{ADJUSTED: True} if is_adjusted else {}))
    return pd.concat(pieces)


def _levels_of(frame: pd.DataFrame) -> tuple[list[list[str]], list[str], pd.DataFrame]:
    """Return the two levels of a header without the first column, their titles, and the rows.

    No levels where the header has but one.
    """
    names, body = list(map(str, frame)), frame
    if frame.columns.nlevels == 2:
        written = [list(map(str, frame.columns.get_level_values(k))) for k in range(2)]
        return [level[1:] for level in written], list(map(_key, frame.columns.names)), frame
    flat = [FLAT.fullmatch(name) for name in names[1:]] or [None]
    if all(flat) and not CLOSES & set(map(_common, names)):
        pairs = [
            match.group("first", "last") if match["first"] else match.group("ticker", "field")
            for match in flat
            if match
        ]
        return [[pair[0] for pair in pairs], [pair[1] for pair in pairs]], [], frame
    second = _first_cells(body)
    is_header = bool(second) and _key(second[0]) in ("", "ticker", "symbol", "price")
    if not is_header or any(number_of(cell) == number_of(cell) for cell in second):
        return [], [], frame
    for k, name in enumerate(names):
        # Cells that a spreadsheet has joined have their text in the first of them.
        names[k] = name or names[max(k - 1, 0)]
    body = frame[1:]
    below = _first_cells(body)[1:]
    if below and not any(map(strip, below)):
        body = body[1:]
    return [names[1:], second[1:]], [_key(names[0]), _key(second[0])], body


def _first_cells(frame: pd.DataFrame) -> list[str]:
    """Return the cells of the first row as text, "" for one that is blank; none without a row."""
    cells = frame[:1].to_numpy().ravel()
    return ["" if cell is None or cell != cell else str(cell) for cell in cells]


def _name_columns(frame: pd.DataFrame, file: str, notes: list[str]) -> pd.DataFrame:
    """Return `frame` with common names for the columns that are recognised."""
    written = [str(name).strip() for name in frame]
    names = [name if (name := _common(text)) in RECOGNISED else text for text in written]
    taken = []
    for wanted, synonyms in SYNONYMS.items():
        keys = list(map(_key, written))
        source = next((key for key in synonyms if key in keys), None)
        if wanted not in names and source is not None:
            place = keys.index(source)
            names[place] = wanted
            if source not in USUAL:
                taken.append(f"{written[place]!r} as {wanted}")
            frame = _with_source(frame, place, source, notes)
    if "date" not in names and names and names[0] in ("", "Unnamed: 0"):
        names[0] = "date"
        taken.append(say("price_rows.nameless"))
    if CLOSES & set(names) and (series := SecurityColumns(frame.columns).in_place_of_ticker):
        names[list(map(str, frame)).index(series)] = "symbol"
    has_bars = {"volume", "totalvolume"} & set(map(_key, written)) or set(names) >= BARS
    if not CLOSES & set(names) and has_bars:
        raise lacks_column("wrong.no_close_column", frame, file)
    if not CLOSES & set(names):
        # A table with a column for each ticker, among them perhaps LOW and OPEN.
        names = [
            text if name in NUMBER_COLUMNS else name
            for text, name in zip(written, names, strict=True)
        ]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None and "date" not in names:
        raise lacks_column("wrong.no_date_column", frame, file)
    if twice is not None:
        raise BadAnswerError("column occurs twice", where=f"{file}:1", value=twice)
    if taken:
        notes.append(say("price_rows.read_as", columns=taken))
    return frame.set_axis(names, axis=1)


def _common(text: str) -> str:
    key = _key(text)
    return "adj_close" if key == "adjclose" else key


def _with_source(frame: pd.DataFrame, place: int, source: str, notes: list[str]) -> pd.DataFrame:
    """Return the table with the cells of a column that mean more than its name says."""
    name = frame.columns[place]
    cells: pd.Series[Any] = frame.iloc[:, place]
    if source == "tscode":
        return frame.assign(**{name: as_text(cells).str.replace(r"\.SH$", ".SS", regex=True)})
    if source == "snappedat":
        text = cells.astype(str).str.replace(" UTC", "Z")
        stamps = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
        if stamps.notna().all():
            notes.append(say("price_rows.snapped"))
            return frame.assign(**{name: stamps - pd.Timedelta(seconds=1)})
    if source == "prc" and pd.api.types.is_numeric_dtype(cells):
        return frame.assign(**{name: cells.abs()})
    if source == "prc":
        return frame.assign(**{name: cells.astype(str).str.removeprefix("-")})
    return frame


def _with_iso_dates(frame: pd.DataFrame, file: str, notes: list[str]) -> pd.DataFrame:
    """Return the table with dates as ISO 8601 has them, where its file proves how they are meant.

    Raises
    ------
    BadAnswerError
        Where it does not prove which number is the day.
    """
    cells = frame["date"]
    if cells.dtype.kind in "Miuf":
        return frame
    texts = [t for t in cells.unique() if isinstance(t, str) and not ISO_DATE.match(t)]
    order = DateOrder.of(texts)
    changed = {text: iso for text in texts if (iso := order.iso(text)) != text}
    if order.first:
        notes.append(say(f"price_rows.{order.first}_first"))
    doubtful = [] if order.first else texts
    proofs = {DateOrder.of([text]).first: text for text in reversed(doubtful)}
    if {"day", "month"} <= proofs.keys():
        lines = {first: cells.index[cells == text][0] for first, text in proofs.items() if first}
        raise make_error(BadAnswerError, "wrong.mixed_dates", where=f"{file}: date", **lines)
    for text in doubtful:
        either = [DateOrder(first).iso(text)[:10] for first in ("day", "month")]
        if either[0] != either[1]:
            where = f"{file}:{cells.index[cells == text][0]}: date"
            facts: Any = {"value": text, "either": " or ".join(either)}
            raise make_error(BadAnswerError, "wrong.ambiguous_dates", where=where, **facts)
    if not changed:
        return frame
    return frame.assign(date=cells.map(lambda cell: changed.get(cell, cell)))


def without_points(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return columns of numbers without points that part thousands, and a note where there are any.

    A column proves it by numbers such as 991 beside 1.005, or 1.005.991, and no others.

    Parameters
    ----------
    table : DataFrame
        Number columns, some of them text.
    """
    grouped = [
        name for name in table
        if all(isinstance(cell, str) and GROUPED.fullmatch(cell.strip()) for cell in table[name])
    ]  # fmt: skip
    for name in grouped:
        points = {cell.count(".") for cell in table[name] if cell.strip("0- ")}
        if len(points) > 1 or max(points, default=0) > 1:
            plain = {str(name): table[name].str.replace(".", "") for name in grouped}
            return table.assign(**plain), say("price_rows.points")
    return table, ""


def plain_numbers(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return columns of numbers as Python writes them, and a note on how they were written.

    Parameters
    ----------
    table : DataFrame
        Number columns, some of them text.

    Returns
    -------
    table : DataFrame
        Unchanged where nothing proves what commas mean.
    note : str
        "" where there are no commas.
    """
    is_number = pd.api.types.is_numeric_dtype
    texts = {str(c): table[c].fillna("").astype(str) for c in table if not is_number(table[c])}
    commas = [text for cells in texts.values() for text in cells if "," in text]
    is_decimal = _prove(commas, DECIMAL)
    is_thousands = _prove(commas, THOUSANDS)
    note = ""
    for column, cells in texts.items():
        plain = cells.str.strip().str.lstrip(SIGNS_OF_MONEY).str.replace(r"[\s']", "", regex=True)
        if is_decimal and not is_thousands:
            plain = plain.str.replace(".", "").str.replace(",", ".")
            note = say("price_rows.decimal_commas")
        elif is_thousands and not is_decimal:
            plain = plain.str.replace(",", "")
            note = say("price_rows.thousands")
        if column == "volume":
            plain = plain.map(_without_unit)
        texts[column] = plain.where(pd.to_numeric(plain, errors="coerce").notna(), cells)
    return table.assign(**texts), note


def _prove(texts: Iterable[str], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(text) for text in texts)


def _without_unit(text: str) -> str:
    """Return a number such as 3.04M without its unit."""
    unit = UNITS.get(text[-1:].upper())
    number = number_of(text[:-1])
    return text if unit is None or number != number else str(number * unit)


def lacks_column(code: str, frame: pd.DataFrame, file: str) -> BadAnswerError:
    """Return the error for a table without a column that it needs.

    Parameters
    ----------
    code : str
        Of the error.
    frame : DataFrame
        The table, whose columns are named.
    file : str
    """
    names = words().some((str(name) for name in frame if name != ADJUSTED), 8)
    return make_error(BadAnswerError, code, where=f"{file}:1", value=names)
