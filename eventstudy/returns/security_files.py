"""Daily files of CRSP, legacy (DSF) and new (CIZ), and others whose series have identifiers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..calendars import CalendarChoice
from ..errors import DataError
from ..files import InputFile, SecurityColumns, as_text, bare, frame_of, with_index
from ..quality import MissingCodes
from ..utility import pd
from ..words import make_error, say
from .table import FrameTable, numbers_of

# Columns of the new layout by their names in the old one, and other names of these.
NAMES = {
    "dlycaldt": "date", "caldt": "date", "dlyret": "ret", "dlyretmissflg": "missing",
    "dlyprc": "prc", "dlycap": "cap", "dlydelflg": "deleted", "return": "ret",
}  # fmt: skip
LONG = ["date", "ticker", "ret"]
INDICES = ("vwretd", "vwretx", "ewretd", "ewretx", "sprtrn")
# Columns that are read of a large file, and from how many bytes on a file is one.
USED = {
    *NAMES, *NAMES.values(), *SecurityColumns.KNOWN, *INDICES, "shrout", "dlret", "dlstdt",
    "dlstcd",
}  # fmt: skip
LARGE = 2**24
# How dates stand in exports beside ISO 8601: 03JAN2012 and 01/03/2012 (month first).
DATES = ("ISO8601", "%d%b%Y", "%m/%d/%Y")
# CRSP counts shares and market values in thousands.
THOUSAND = 1000
# Codes of delistings for liquidation or by the exchange: their last loss is large.
PERFORMANCE = 400
# Codes of missing returns as numbers, and as other letters than those of returns.
LOST, LETTER = set(MissingCodes.TEXTS.values()), r"\.?[A-Z]|\."


def has_securities(names: Iterable[Any]) -> bool:
    """Return whether columns are those of a long table of returns by an identifier."""
    columns = {bare(name) for name in names}
    is_long = "date" in columns and bool(columns & {"ret", "return", "permno"})
    named = SecurityColumns(columns)
    return named.is_crsp or (is_long and named.in_place_of_ticker != "")


def usual_calendar(events: Any, returns: Any = None, ticker: str = "") -> CalendarChoice:
    """Return whose sessions suit a study for which nobody says it.

    Parameters
    ----------
    events, returns : path or DataFrame
    ticker : str
        The column that names the series of the events, where that is said.
    """
    has_crsp = returns is not None and SecurityColumns(InputFile.columns_of(returns)).is_crsp
    columns = [ticker] if ticker else InputFile.columns_of(events)
    by_identifier = SecurityColumns(columns).in_place_of_ticker != ""
    return "data" if has_crsp or by_identifier else "exchange"


def securities_of(source: Any, wanted: Collection[str], where: str) -> SecurityTable | None:
    """Return the returns of securities in a file or frame; None where it is another table.

    Parameters
    ----------
    source : path or DataFrame
    wanted : collection of str
        The series that are needed.
    where : str
        The file, for what is said.
    """
    if not has_securities(InputFile.columns_of(source)):
        return None
    if isinstance(source, str | Path):
        return SecurityTable(read_securities(source, wanted), wanted, where)
    return SecurityTable(with_index(frame_of(source, "returns")), wanted, where)


def read_securities(path: str | Path, wanted: Collection[str]) -> pd.DataFrame:
    """Return the table of a file; of a large one the first row and what is wanted of it alone.

    Parameters
    ----------
    path : path
    wanted : collection of str
        Securities, and indices, of which one row a day is wanted.
    """
    if not Path(path).is_file() or Path(path).stat().st_size < LARGE:
        return InputFile(path).table()
    seen = set[str]()
    has_index = any(name.lower() in INDICES for name in wanted)

    def rows_of(piece: pd.DataFrame) -> pd.Series[bool]:
        """Return which rows are wanted, the first ones of days that are new among them."""
        names = [n for n in piece.columns if bare(n) in SecurityColumns.KNOWN]
        rows = as_text(piece[names[0]]).isin(wanted)
        for name in names[1:]:
            rows |= as_text(piece[name]).isin(wanted)
        date = next(n for n in piece.columns if NAMES.get(bare(n), bare(n)) == "date")
        days = piece[date].astype(str)
        if has_index or not seen:
            first = ~days.isin(seen) & ~days.duplicated()
            rows |= first if has_index else first & (first.cumsum() == 1)
            seen.update(days[first])
        return rows

    return InputFile(path).part(lambda name: bare(name) in USED, rows_of)


class SecurityTable(FrameTable):
    """Returns by security and day, as :class:`FrameTable` reads them.

    Codes of missing returns are missing, and returns on delisting are in the last return; columns
    of indices are series by their name. `notices` count what was done.

    Parameters
    ----------
    frame : DataFrame
        A row for each security and day.
    wanted : collection of str
    where : str
    """

    def __init__(self, frame: pd.DataFrame, wanted: Collection[str], where: str) -> None:
        table, series = by_security(frame, wanted)
        if "ret" not in table:
            names = ", ".join(map(str, frame.columns))
            raise make_error(DataError, "crsp.no_returns", value=names)
        rows = table[table["ticker"].isin(wanted)]
        if rows.empty:
            firms = sorted(name for name in wanted if name.lower() not in INDICES)
            facts = {"column": series, "example": "".join(table["ticker"].iloc[:1])}
            raise make_error(DataError, "crsp.other_names", value=", ".join(firms[:5]), **facts)
        rows, done = _complete(rows.assign(date=days_of(rows["date"])))
        n = rows["ticker"].nunique()
        super().__init__(pd.concat([rows[LONG], *_index_rows(table, wanted)]))
        self.notices = (" ".join([say("crsp.read", where=where, column=series, n=n), *done]),)


def by_security(frame: pd.DataFrame, wanted: Collection[str]) -> tuple[pd.DataFrame, str]:
    """Return a table with the old names of columns and a column ``ticker``, and what that was.

    Parameters
    ----------
    frame : DataFrame
    wanted : collection of str
        The column that has most of these names the series.
    """
    frame = frame.reset_index(drop=True)
    columns = SecurityColumns(frame.columns)
    named = [*columns.identifiers, *columns.tickers]
    candidates = {str(name): as_text(frame[name]) for name in named}
    texts = set(wanted)
    series = max(candidates, key=lambda name: len(texts & set(candidates[name].unique())))
    table = frame.set_axis([NAMES.get(bare(n), bare(n)) for n in frame.columns], axis=1)
    return table.assign(ticker=candidates[series]), series


def days_of(cells: pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    """Return cells as days.

    Raises
    ------
    DataError
        If one cannot be read.
    """
    days = _days(cells)
    unread = cells[days.isna()]
    if len(unread):
        raise make_error(DataError, "wrong.date", value=str(unread.iloc[0]))
    return days


def _days(cells: pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    """Return cells as days, in the form that reads most of them; NaT for the others."""
    texts = as_text(cells)
    read = (pd.to_datetime(texts, format=form, errors="coerce") for form in DATES)
    days: pd.Series[pd.Timestamp] = max(read, key=lambda dates: int(dates.notna().sum()))
    return days.dt.normalize()


def _index_rows(table: pd.DataFrame, wanted: Collection[str]) -> Iterator[pd.DataFrame]:
    """Yield the returns of indices that are wanted, a row for each day."""
    for name in (n for n in wanted if n.lower() in INDICES and n.lower() in table):
        values, _ = _decoded(table[name.lower()])
        rows = table.assign(date=days_of(table["date"]), ticker=name, ret=values)[LONG]
        yield rows.dropna().drop_duplicates("date")


def _complete(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return rows with returns as numbers, those on delisting included, and what was done."""
    returns, codes = _decoded(rows["ret"])
    is_blank = rows["ret"].isna() | (rows["ret"].astype(str).str.strip() == "")
    wrong = rows[returns.isna() & ~is_blank & (codes == "")]
    if len(wrong):
        first = wrong.iloc[0]
        where = f"{first['ticker']} on {first['date']:%Y-%m-%d}"
        raise DataError("a return that is no number", where=where, value=str(first["ret"]))
    if "missing" in rows:
        codes = as_text(rows["missing"]).where(returns.isna(), "")
    counts = codes[codes != ""].value_counts().sort_index()
    texts = ", ".join(f"{code} {n}" for code, n in counts.items())
    done = [say("crsp.codes", n=int(counts.sum()), codes=texts)] if len(counts) else []
    if "deleted" in rows and (n := int((rows["deleted"] == "Y")[returns.notna()].sum())):
        done.append(say("crsp.with_delisting", n=n))
    if "dlret" in rows:
        returns, more = _delisted(rows, returns)
        done += more
    elif "deleted" not in rows:
        last = rows.groupby("ticker")["date"].max()
        n = int((last < last.max()).sum())
        done += [say("crsp.no_delisting", n=n)] if n else []
    return rows.assign(ret=returns), done


def _delisted(rows: pd.DataFrame, returns: pd.Series[float]) -> tuple[pd.Series[float], list[str]]:
    """Return returns with those on delisting compounded into them, and how many these are."""
    after, _ = _decoded(rows["dlret"])
    used = after.notna()
    if "dlstdt" in rows:
        used &= _days(rows["dlstdt"]) == rows["date"]
    twice = rows[used & rows["ticker"].where(used).duplicated()]
    if len(twice):
        raise make_error(DataError, "crsp.delisted_twice", where=str(twice["ticker"].iloc[0]))
    tickers = rows["ticker"]
    done = [say("crsp.delisted", n=int(used.sum()))] if used.any() else []
    if "dlstcd" in rows:
        ended = set(tickers[numbers_of(rows["dlstcd"]) >= PERFORMANCE]) - set(tickers[used])
        done += [say("crsp.lacking", n=len(ended))] if ended else []
    return returns.where(~used, (1 + returns.fillna(0)) * (1 + after) - 1), done


def _decoded(cells: pd.Series[Any]) -> tuple[pd.Series[float], pd.Series[str]]:
    """Return cells as numbers, NaN for a code of a missing one, and the codes, "" elsewhere."""
    numbers = numbers_of(cells)
    texts = numbers.map("{:g}".format)
    if cells.dtype.kind not in "iuf":
        texts = cells.astype(str).str.strip()
    is_code = numbers.isin(LOST) | (numbers.isna() & cells.notna() & texts.str.fullmatch(LETTER))
    return numbers.mask(is_code), texts.where(is_code, "")


def market_values(frame: pd.DataFrame, wanted: Collection[str]) -> pd.DataFrame:
    """Return the market values of a daily file of CRSP: the size of the price times the shares.

    Parameters
    ----------
    frame : DataFrame
    wanted : collection of str
        The firms.

    Returns
    -------
    DataFrame
        Columns ticker, date, mcap in dollars, and currency.

    Raises
    ------
    DataError
        If there are no prices and shares.
    """
    table, _ = by_security(frame, wanted)
    table = table[table["ticker"].isin(wanted)]
    if "cap" not in table and not {"prc", "shrout"} <= set(table):
        raise DataError("a column is missing", value="prc and shrout, or DlyCap")
    # A negative price is the mean of bid and ask.
    factors = ["cap"] if "cap" in table else ["prc", "shrout"]
    numbers = table[factors].apply(pd.to_numeric, errors="coerce")
    value = THOUSAND * numbers.abs().prod(axis=1, skipna=False)
    out = table[["ticker"]].assign(date=days_of(table["date"]), mcap=value, currency="USD")
    return out[out["mcap"] > 0].reset_index(drop=True)


def read_market_values(path: str | Path, wanted: Collection[str]) -> pd.DataFrame:
    """Return the market values in a daily file of CRSP; see `market_values`."""
    return market_values(read_securities(path, wanted), wanted)
