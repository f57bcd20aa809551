"""Tickers and ISINs as authorities print them."""

from __future__ import annotations

import re

# With which digits exchanges of China begin the codes of their shares: A and B shares of Shanghai,
# those of Shenzhen, and those that Beijing has given out since 2025.
_MARKETS = {("6", "900"): "SS", ("0", "2", "3"): "SZ", ("920",): "BJ"}
_TICKER = re.compile(r"([A-Z0-9]+?)\s*(CN|HK)")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")


def symbol_of(ticker: str) -> str:
    """Return the Yahoo symbol of a ticker as OFAC prints it, "" for other markets.

    OFAC's ``CN`` is China, where Bloomberg's is Canada.

    Parameters
    ----------
    ticker : str
        Such as ``"002415 CN"``, ``"603019CN"`` or ``"00981 HK"``.

    Examples
    --------
    >>> [symbol_of(text) for text in ("002415 CN", "601698  CN", "00981 HK", "941 HK", "CHA US")]
    ['002415.SZ', '601698.SS', '0981.HK', '0941.HK', '']
    """
    match = _TICKER.fullmatch(ticker.strip().upper())
    if match is None or not match[1].isdigit():
        return ""
    code, market = match.groups()
    if market == "HK":
        return f"{code.lstrip('0').zfill(4)}.HK" if int(code) and len(code) <= 5 else ""
    if len(code) != 6:
        return ""
    for digits, suffix in _MARKETS.items():
        if code.startswith(digits):
            return f"{code}.{suffix}"
    return ""


def is_isin(text: str) -> bool:
    """Return whether a text is an ISIN with a valid check digit (ISO 6166).

    Examples
    --------
    >>> is_isin("CNE100000PM8"), is_isin("CND10002K094")
    (True, False)
    """
    if not _ISIN.fullmatch(text):
        return False
    digits = "".join(str(int(letter, 36)) for letter in text)
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled // 10 + doubled % 10
    return total % 10 == 0
