"""Which exchange a ticker trades on, with its calendar and its usual index."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import DataError
from .registry import did_you_mean

NO_CALENDAR = 'give the session itself in a "day0" column and use calendar = "data"'


@dataclass(frozen=True, slots=True)
class Exchange:
    """One market.

    Attributes
    ----------
    code : str
        Market identifier code, e.g. ``"XSHE"``.
    calendar : str or None
        Name of its calendar in exchange_calendars; None where there is none.
    name : str
        The market in words.
    benchmark : str or None
        Symbol of the usual local index; None where none is known.
    """

    code: str
    calendar: str | None
    name: str
    benchmark: str | None = None


NEW_YORK = Exchange("XNYS", "XNYS", "New York (NYSE, Nasdaq)", "^GSPC")

EXCHANGES: dict[str, Exchange] = {
    "": NEW_YORK,
    "AE": Exchange("XDFM", None, "Dubai"),
    "AQ": Exchange("AQXE", "XLON", "Aquis", "^FTSE"),
    "AS": Exchange("XAMS", "XAMS", "Amsterdam", "^AEX"),
    "AT": Exchange("XATH", "ASEX", "Athens", "GD.AT"),
    "AX": Exchange("XASX", "XASX", "Australia", "^AXJO"),
    "BA": Exchange("XBUE", "XBUE", "Buenos Aires", "^MERV"),
    "BD": Exchange("XBUD", "XBUD", "Budapest", "^BUX.BD"),
    "BE": Exchange("XBER", "XFRA", "Berlin", "^GDAXI"),
    "BK": Exchange("XBKK", "XBKK", "Thailand", "^SET.BK"),
    "BM": Exchange("XBMS", "XFRA", "Bremen", "^GDAXI"),
    "BO": Exchange("XBOM", "XBOM", "Bombay", "^BSESN"),
    "BR": Exchange("XBRU", "XBRU", "Brussels", "^BFX"),
    "CA": Exchange("XCAI", None, "Egypt", "^CASE30"),
    "CBT": Exchange("XCBT", "CMES", "Chicago Board of Trade"),
    "CL": Exchange("XBOG", "XBOG", "Colombia"),
    "CME": Exchange("XCME", "CMES", "Chicago Mercantile Exchange"),
    "CMX": Exchange("CECS", "CMES", "New York Commodities Exchange"),
    "CN": Exchange("CNSX", "XTSE", "Canadian Securities Exchange", "^GSPTSE"),
    "CO": Exchange("XCSE", "XCSE", "Copenhagen", "^OMXC25"),
    "CR": Exchange("XCAR", None, "Caracas"),
    "DE": Exchange("XETR", "XETR", "Xetra", "^GDAXI"),
    "DU": Exchange("XDUS", "XDUS", "Dusseldorf", "^GDAXI"),
    "F": Exchange("XFRA", "XFRA", "Frankfurt", "^GDAXI"),
    "HA": Exchange("XHAN", None, "Hanover", "^GDAXI"),
    "HE": Exchange("XHEL", "XHEL", "Helsinki", "^OMXH25"),
    "HK": Exchange("XHKG", "XHKG", "Hong Kong", "^HSI"),
    "HM": Exchange("XHAM", "XHAM", "Hamburg", "^GDAXI"),
    "IC": Exchange("XICE", "XICE", "Iceland"),
    "IL": Exchange("ILSE", "XLON", "London (international order book)", "^FTSE"),
    "IR": Exchange("XDUB", "XDUB", "Dublin", "^ISEQ"),
    "IS": Exchange("XIST", "XIST", "Istanbul", "XU100.IS"),
    "JK": Exchange("XIDX", "XIDX", "Indonesia", "^JKSE"),
    "JO": Exchange("XJSE", "XJSE", "Johannesburg", "^J203.JO"),
    "KL": Exchange("XKLS", "XKLS", "Malaysia", "^KLSE"),
    "KQ": Exchange("KQKS", "XKRX", "Korea (KOSDAQ)", "^KQ11"),
    "KS": Exchange("XKRX", "XKRX", "Korea", "^KS11"),
    "KW": Exchange("XKUW", None, "Kuwait"),
    "L": Exchange("XLON", "XLON", "London", "^FTSE"),
    "LS": Exchange("XLIS", "XLIS", "Lisbon", "PSI20.LS"),
    "MC": Exchange("XMAD", "XMAD", "Madrid", "^IBEX"),
    "ME": Exchange("MISX", "XMOS", "Moscow", "IMOEX.ME"),
    "MI": Exchange("XMIL", "XMIL", "Milan", "FTSEMIB.MI"),
    "MU": Exchange("XMUN", "XFRA", "Munich", "^GDAXI"),
    "MX": Exchange("XMEX", "XMEX", "Mexico", "^MXX"),
    "NE": Exchange("NEOE", "XTSE", "Cboe Canada", "^GSPTSE"),
    "NS": Exchange("XNSE", "XBOM", "National Stock Exchange of India", "^NSEI"),
    "NX": Exchange("XEUR", "XEUR", "Euronext"),
    "NYB": Exchange("IFUS", "IEPA", "ICE Futures US"),
    "NYM": Exchange("XNYM", "CMES", "New York Mercantile Exchange"),
    "NZ": Exchange("XNZE", "XNZE", "New Zealand", "^NZ50"),
    "OL": Exchange("XOSL", "XOSL", "Oslo", "OSEBX.OL"),
    "PA": Exchange("XPAR", "XPAR", "Paris", "^FCHI"),
    "PR": Exchange("XPRA", "XPRA", "Prague"),
    "PS": Exchange("XPHS", "XPHS", "Philippines", "PSEI.PS"),
    "QA": Exchange("XQAT", None, "Qatar"),
    "RG": Exchange("XRIS", "XRIS", "Riga"),
    "RO": Exchange("XBSE", "XBSE", "Bucharest"),
    "SA": Exchange("BVMF", "BVMF", "Sao Paulo", "^BVSP"),
    "SG": Exchange("XSTU", "XSTU", "Stuttgart", "^GDAXI"),
    "SI": Exchange("XSES", "XSES", "Singapore", "^STI"),
    "SN": Exchange("XSGO", "XSGO", "Santiago", "^IPSA"),
    "SR": Exchange("XSAU", "XSAU", "Saudi Arabia", "^TASI.SR"),
    "SS": Exchange("XSHG", "XSHG", "Shanghai", "000300.SS"),
    "ST": Exchange("XSTO", "XSTO", "Stockholm", "^OMX"),
    "SW": Exchange("XSWX", "XSWX", "Switzerland", "^SSMI"),
    "SZ": Exchange("XSHE", "XSHG", "Shenzhen", "000300.SS"),
    "T": Exchange("XTKS", "XTKS", "Tokyo", "^N225"),
    "TA": Exchange("XTAE", "XTAE", "Tel Aviv", "^TA125.TA"),
    "TI": Exchange("ETLX", "XMIL", "EuroTLX", "FTSEMIB.MI"),
    "TL": Exchange("XTAL", "XTAL", "Tallinn"),
    "TO": Exchange("XTSE", "XTSE", "Toronto", "^GSPTSE"),
    "TW": Exchange("XTAI", "XTAI", "Taiwan", "^TWII"),
    "TWO": Exchange("ROCO", "XTAI", "Taipei (over the counter)", "^TWII"),
    "V": Exchange("XTSX", "XTSX", "TSX Venture", "^GSPTSE"),
    "VI": Exchange("XWBO", "XWBO", "Vienna", "^ATX"),
    "VN": Exchange("XSTC", None, "Vietnam"),
    "VS": Exchange("XLIT", "XLIT", "Vilnius"),
    "WA": Exchange("XWAR", "XWAR", "Warsaw"),
    "XA": Exchange("CXAW", "XASX", "Cboe Australia", "^AXJO"),
    "XC": Exchange("CHIX", "XLON", "Cboe UK", "^FTSE"),
    "XD": Exchange("CEUX", "XLON", "Cboe Europe", "^FTSE"),
}

# indices that are nobody's default benchmark, or the default of several markets
_INDEX_SUFFIX = {
    "^FTSE": "L", "^FTMC": "L", "^FTAS": "L", "^GDAXI": "DE", "^MDAXI": "DE", "^SDAXI": "DE", "^STOXX": "DE",
    "^STOXX50E": "DE", "^GSPTSE": "TO", "^DJI": "", "^IXIC": "", "^NDX": "", "^NYA": "", "^RUT": "",
    "^SOX": "", "^VIX": "", "^W5000": "", "^HSCE": "HK", "^SBF120": "PA", "^NSEBANK": "NS", "^OMXS30": "ST",
    "^AORD": "AX", "^KS200": "KS",
}  # fmt: skip

_OTHER_NOTATIONS = {
    "US": "", "N": "", "O": "", "OQ": "", "SH": "SS", "CH": "SS", "XSHG": "SS", "XSHE": "SZ", "HKG": "HK",
    "LN": "L", "LON": "L", "JP": "T", "GR": "DE", "FP": "PA", "KR": "KS", "KRX": "KS", "MM": "ME",
    "MCX": "ME", "MOEX": "ME", "NSE": "NS", "BSE": "BO",
}  # fmt: skip


def suffix_of(ticker: str) -> str:
    """Return the market suffix of a Yahoo symbol without its dot (``"SZ"``), ``""`` where there is none."""
    return ticker.rpartition(".")[2] if "." in ticker else ""


def exchange_of(ticker: str) -> Exchange | None:
    """Return the exchange a Yahoo symbol trades on.

    Parameters
    ----------
    ticker : str
        Symbol such as ``"002415.SZ"``; without a suffix it trades in New York.

    Returns
    -------
    Exchange or None
        None only for an index symbol (leading ``^``) whose home isn't known.

    Raises
    ------
    DataError
        The suffix is unknown, or its market has no trading calendar.
    """
    suffix = suffix_of(ticker)
    if ticker.startswith("^") and not suffix:
        return _home_of_index(ticker)
    exchange = EXCHANGES.get(suffix)
    if exchange is None:
        raise DataError(f"unknown market suffix .{suffix}", value=ticker, remedy=_suffix_hint(ticker, suffix))
    if exchange.calendar is None:
        what = f"there is no trading calendar for {exchange.name} (.{suffix})"
        raise DataError(what, value=ticker, remedy=NO_CALENDAR)
    return exchange


def _home_of_index(symbol: str) -> Exchange | None:
    if symbol in _INDEX_SUFFIX:
        return EXCHANGES[_INDEX_SUFFIX[symbol]]
    return next((e for e in EXCHANGES.values() if e.benchmark == symbol), None)


def _suffix_hint(ticker: str, suffix: str) -> str:
    stem = ticker[: -len(suffix) - 1]
    hints = []
    if suffix.upper() in EXCHANGES:
        hints.append(f"did you mean '{stem}.{suffix.upper()}'?")
    elif hint := _nearest_suffix(suffix.upper()):
        hints.append(hint)
    if len(suffix) == 1:
        hints.append(f"a class of shares is written with a dash: {stem}-{suffix}")
    return " ".join(hints) or "suffixes are those of Yahoo, e.g. .L .DE .HK .SS .SZ .T"


def _nearest_suffix(suffix: str) -> str:
    if suffix in _OTHER_NOTATIONS:
        meant = _OTHER_NOTATIONS[suffix]
        return f"did you mean '.{meant}'?" if meant else "New York symbols have no suffix"
    return did_you_mean(f".{suffix}", [f".{s}" for s in EXCHANGES if s])
