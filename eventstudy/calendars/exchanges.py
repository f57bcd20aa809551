"""Which exchange a ticker trades on, with its calendar and its usual index."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import DataError
from ..utility.registry import did_you_mean

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
    currency : str
        What its shares are quoted in; "" where there are several.
    """

    code: str
    calendar: str | None
    name: str
    benchmark: str | None = None
    currency: str = ""

    @property
    def chain(self) -> tuple[str, ...]:
        """The usual index and what stands in for it where it has no prices, best first."""
        if not self.benchmark:
            return ()
        return self.benchmark, *_STAND_INS.get(self.code, _STAND_INS.get(self.benchmark, ()))


NEW_YORK = Exchange("XNYS", "XNYS", "New York (NYSE, Nasdaq)", "^GSPC", currency="USD")

EXCHANGES: dict[str, Exchange] = {
    "": NEW_YORK,
    "AE": Exchange("XDFM", None, "Dubai", currency="AED"),
    "AQ": Exchange("AQXE", "XLON", "Aquis", "^FTSE", currency="GBP"),
    "AS": Exchange("XAMS", "XAMS", "Amsterdam", "^AEX", currency="EUR"),
    "AT": Exchange("XATH", "ASEX", "Athens", "GD.AT", currency="EUR"),
    "AX": Exchange("XASX", "XASX", "Australia", "^AXJO", currency="AUD"),
    "BA": Exchange("XBUE", "XBUE", "Buenos Aires", "^MERV", currency="ARS"),
    "BD": Exchange("XBUD", "XBUD", "Budapest", "^BUX.BD", currency="HUF"),
    "BE": Exchange("XBER", "XFRA", "Berlin", "^GDAXI", currency="EUR"),
    "BK": Exchange("XBKK", "XBKK", "Thailand", "^SET.BK", currency="THB"),
    "BM": Exchange("XBMS", "XFRA", "Bremen", "^GDAXI", currency="EUR"),
    "BO": Exchange("XBOM", "XBOM", "Bombay", "^BSESN", currency="INR"),
    "BR": Exchange("XBRU", "XBRU", "Brussels", "^BFX", currency="EUR"),
    "CA": Exchange("XCAI", None, "Egypt", "^CASE30", currency="EGP"),
    "CBT": Exchange("XCBT", "CMES", "Chicago Board of Trade", currency="USD"),
    "CL": Exchange("XBOG", "XBOG", "Colombia", currency="COP"),
    "CME": Exchange("XCME", "CMES", "Chicago Mercantile Exchange", currency="USD"),
    "CMX": Exchange("CECS", "CMES", "New York Commodities Exchange", currency="USD"),
    "CN": Exchange("CNSX", "XTSE", "Canadian Securities Exchange", "^GSPTSE", currency="CAD"),
    "CO": Exchange("XCSE", "XCSE", "Copenhagen", "^OMXC25", currency="DKK"),
    "CR": Exchange("XCAR", None, "Caracas", currency="VES"),
    "DE": Exchange("XETR", "XETR", "Xetra", "^GDAXI", currency="EUR"),
    "DU": Exchange("XDUS", "XDUS", "Dusseldorf", "^GDAXI", currency="EUR"),
    "F": Exchange("XFRA", "XFRA", "Frankfurt", "^GDAXI", currency="EUR"),
    "HA": Exchange("XHAN", None, "Hanover", "^GDAXI", currency="EUR"),
    "HE": Exchange("XHEL", "XHEL", "Helsinki", "^OMXH25", currency="EUR"),
    "HK": Exchange("XHKG", "XHKG", "Hong Kong", "^HSI", currency="HKD"),
    "HM": Exchange("XHAM", "XHAM", "Hamburg", "^GDAXI", currency="EUR"),
    "IC": Exchange("XICE", "XICE", "Iceland", currency="ISK"),
    "IL": Exchange("ILSE", "XLON", "London (international order book)", "^FTSE", currency="USD"),
    "IR": Exchange("XDUB", "XDUB", "Dublin", "^ISEQ", currency="EUR"),
    "IS": Exchange("XIST", "XIST", "Istanbul", "XU100.IS", currency="TRY"),
    "JK": Exchange("XIDX", "XIDX", "Indonesia", "^JKSE", currency="IDR"),
    "JO": Exchange("XJSE", "XJSE", "Johannesburg", "^J203.JO", currency="ZAR"),
    "KL": Exchange("XKLS", "XKLS", "Malaysia", "^KLSE", currency="MYR"),
    "KQ": Exchange("KQKS", "XKRX", "Korea (KOSDAQ)", "^KQ11", currency="KRW"),
    "KS": Exchange("XKRX", "XKRX", "Korea", "^KS11", currency="KRW"),
    "KW": Exchange("XKUW", None, "Kuwait", currency="KWD"),
    "L": Exchange("XLON", "XLON", "London", "^FTSE", currency="GBP"),
    "LS": Exchange("XLIS", "XLIS", "Lisbon", "PSI20.LS", currency="EUR"),
    "MC": Exchange("XMAD", "XMAD", "Madrid", "^IBEX", currency="EUR"),
    "ME": Exchange("MISX", "XMOS", "Moscow", "IMOEX.ME", currency="RUB"),
    "MI": Exchange("XMIL", "XMIL", "Milan", "FTSEMIB.MI", currency="EUR"),
    "MU": Exchange("XMUN", "XFRA", "Munich", "^GDAXI", currency="EUR"),
    "MX": Exchange("XMEX", "XMEX", "Mexico", "^MXX", currency="MXN"),
    "NE": Exchange("NEOE", "XTSE", "Cboe Canada", "^GSPTSE", currency="CAD"),
    "NS": Exchange("XNSE", "XBOM", "National Stock Exchange of India", "^NSEI", currency="INR"),
    "NX": Exchange("XEUR", "XEUR", "Euronext", currency="EUR"),
    "NYB": Exchange("IFUS", "IEPA", "ICE Futures US", currency="USD"),
    "NYM": Exchange("XNYM", "CMES", "New York Mercantile Exchange", currency="USD"),
    "NZ": Exchange("XNZE", "XNZE", "New Zealand", "^NZ50", currency="NZD"),
    "OL": Exchange("XOSL", "XOSL", "Oslo", "OSEBX.OL", currency="NOK"),
    "PA": Exchange("XPAR", "XPAR", "Paris", "^FCHI", currency="EUR"),
    "PR": Exchange("XPRA", "XPRA", "Prague", currency="CZK"),
    "PS": Exchange("XPHS", "XPHS", "Philippines", "PSEI.PS", currency="PHP"),
    "QA": Exchange("XQAT", None, "Qatar", currency="QAR"),
    "RG": Exchange("XRIS", "XRIS", "Riga", currency="EUR"),
    "RO": Exchange("XBSE", "XBSE", "Bucharest", currency="RON"),
    "SA": Exchange("BVMF", "BVMF", "Sao Paulo", "^BVSP", currency="BRL"),
    "SG": Exchange("XSTU", "XSTU", "Stuttgart", "^GDAXI", currency="EUR"),
    "SI": Exchange("XSES", "XSES", "Singapore", "^STI", currency="SGD"),
    "SN": Exchange("XSGO", "XSGO", "Santiago", "^IPSA", currency="CLP"),
    "SR": Exchange("XSAU", "XSAU", "Saudi Arabia", "^TASI.SR", currency="SAR"),
    "SS": Exchange("XSHG", "XSHG", "Shanghai", "000300.SS", currency="CNY"),
    "ST": Exchange("XSTO", "XSTO", "Stockholm", "^OMX", currency="SEK"),
    "SW": Exchange("XSWX", "XSWX", "Switzerland", "^SSMI", currency="CHF"),
    "SZ": Exchange("XSHE", "XSHG", "Shenzhen", "000300.SS", currency="CNY"),
    "T": Exchange("XTKS", "XTKS", "Tokyo", "^N225", currency="JPY"),
    "TA": Exchange("XTAE", "XTAE", "Tel Aviv", "^TA125.TA", currency="ILS"),
    "TI": Exchange("ETLX", "XMIL", "EuroTLX", "FTSEMIB.MI", currency="EUR"),
    "TL": Exchange("XTAL", "XTAL", "Tallinn", currency="EUR"),
    "TO": Exchange("XTSE", "XTSE", "Toronto", "^GSPTSE", currency="CAD"),
    "TW": Exchange("XTAI", "XTAI", "Taiwan", "^TWII", currency="TWD"),
    "TWO": Exchange("ROCO", "XTAI", "Taipei (over the counter)", "^TWII", currency="TWD"),
    "V": Exchange("XTSX", "XTSX", "TSX Venture", "^GSPTSE", currency="CAD"),
    "VI": Exchange("XWBO", "XWBO", "Vienna", "^ATX", currency="EUR"),
    "VN": Exchange("XSTC", None, "Vietnam", currency="VND"),
    "VS": Exchange("XLIT", "XLIT", "Vilnius", currency="EUR"),
    "WA": Exchange("XWAR", "XWAR", "Warsaw", currency="PLN"),
    "XA": Exchange("CXAW", "XASX", "Cboe Australia", "^AXJO", currency="AUD"),
    "XC": Exchange("CHIX", "XLON", "Cboe UK", "^FTSE", currency="GBP"),
    "XD": Exchange("CEUX", "XLON", "Cboe Europe", "^FTSE"),
}

BY_CODE = {exchange.code: exchange for exchange in EXCHANGES.values()}

# What stands in for an index, by exchange or by index: another index of the market, or a fund that
# holds it.
_STAND_INS: dict[str, tuple[str, ...]] = {
    "XSHG": ("000001.SS", "399001.SZ", "ASHR"), "XSHE": ("399001.SZ", "000001.SS", "ASHR"),
    "^GSPC": ("SPY",), "^HSI": ("2800.HK",), "^FTSE": ("ISF.L",), "^GDAXI": ("EXS1.DE",),
    "^N225": ("1321.T",), "^KS11": ("069500.KS",), "^TWII": ("0050.TW",), "^GSPTSE": ("XIC.TO",),
    "^AXJO": ("STW.AX",), "^BVSP": ("BOVA11.SA",), "^STI": ("ES3.SI",), "^BSESN": ("^NSEI",),
    "^NSEI": ("^BSESN",), "^FCHI": ("CAC.PA",),
}  # fmt: skip

_B_SHARES = {r"900\d{3}\.SS": "USD", r"200\d{3}\.SZ": "HKD"}

# indices that are nobody's default benchmark, or the default of several markets
_INDEX_SUFFIX = {
    "^FTSE": "L", "^FTMC": "L", "^FTAS": "L", "^GDAXI": "DE", "^MDAXI": "DE", "^SDAXI": "DE",
    "^STOXX": "DE",
    "^STOXX50E": "DE", "^GSPTSE": "TO", "^DJI": "", "^IXIC": "", "^NDX": "", "^NYA": "", "^RUT": "",
    "^SOX": "", "^VIX": "", "^W5000": "", "^HSCE": "HK", "^SBF120": "PA", "^NSEBANK": "NS",
    "^OMXS30": "ST",
    "^AORD": "AX", "^KS200": "KS",
}  # fmt: skip

# Suffixes by the codes of Bloomberg. Those of Stockholm and Copenhagen join the class of a share to
# its name.
_BLOOMBERG = {
    **dict.fromkeys(("US", "UN", "UW", "UQ", "UR", "UA", "UP", "UV"), ""), "LN": "L", "GR": "DE",
    "GY": "DE",
    "GF": "F", "FP": "PA", "NA": "AS", "BB": "BR", "PL": "LS", "ID": "IR", "IM": "MI", "SM": "MC",
    "SW": "SW",
    "SE": "SW", "VX": "SW", "AV": "VI", "FH": "HE", "NO": "OL", "GA": "AT", "PW": "WA", "CP": "PR",
    "HB": "BD", "TI": "IS", "HK": "HK", "CG": "SS", "CS": "SZ", "JP": "T", "JT": "T", "KS": "KS",
    "KP": "KS",
    "KQ": "KQ", "TT": "TW", "SP": "SI", "MK": "KL", "TB": "BK", "IJ": "JK", "PM": "PS", "IN": "NS",
    "IS": "NS", "IB": "BO", "AU": "AX", "AT": "AX", "NZ": "NZ", "CN": "TO", "CT": "TO", "BZ": "SA",
    "BS": "SA", "MM": "MX", "CI": "SN", "SJ": "JO", "IT": "TA", "AB": "SR",
}  # fmt: skip
_OTHER_NOTATIONS = _BLOOMBERG | {
    "N": "", "O": "", "OQ": "", "SH": "SS", "CH": "SS", "XSHG": "SS", "XSHE": "SZ", "HKG": "HK",
    "LON": "L",
    "KR": "KS", "KRX": "KS", "MM": "ME", "MCX": "ME", "MOEX": "ME", "NSE": "NS", "BSE": "BO",
}  # fmt: skip
# Digits of the codes of a market, by suffix.
DIGITS_IN_CODE = {"SS": 6, "SZ": 6, "HK": 4, "KS": 6, "KQ": 6}


def from_bloomberg(ticker: str) -> str:
    """Return the Yahoo symbol of a ticker such as ``700 HK`` or ``BRK/B US Equity``, "" where not
    known."""
    *names, code = ticker.upper().removesuffix(" EQUITY").split()
    name = "-".join(names)
    if code in ("CH", "C1", "C2") and re.fullmatch(r"\d{6}", name):
        code = "CG" if name[0] in "69" else "CS"
    if not name or code not in _BLOOMBERG:
        return ""
    suffix, stem = _BLOOMBERG[code], name.rstrip("/").replace("/", "-")
    stem = stem.zfill(DIGITS_IN_CODE.get(suffix, 0)) if stem.isdigit() else stem
    return f"{stem}.{suffix}" if suffix else stem


def suffix_of(ticker: str) -> str:
    """Return the market suffix of a Yahoo symbol without its dot (``"SZ"``), ``""`` where there is
    none."""
    return ticker.rpartition(".")[2] if "." in ticker else ""


def home_of(symbol: str) -> Exchange | None:
    """Return the exchange of a symbol, an index included, or None where it cannot be told."""
    suffix = suffix_of(symbol)
    return (
        _home_of_index(symbol) if symbol.startswith("^") and not suffix else EXCHANGES.get(suffix)
    )


def quoted_in(symbol: str) -> str:
    """Return what a symbol is quoted in, "" where that cannot be told: B shares are not in yuan."""
    home = home_of(symbol)
    b_share = next((own for text, own in _B_SHARES.items() if re.fullmatch(text, symbol)), "")
    return b_share or (home.currency if home else "")


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
        raise DataError(
            f"unknown market suffix .{suffix}", value=ticker, remedy=_suffix_hint(ticker, suffix)
        )
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
