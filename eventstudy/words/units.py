"""Names and units of the numbers of a study: returns in percent, other measures in log points."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class Paragraph:
    """A result that a notebook shows as its text."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"

    def __repr__(self) -> str:
        return str(self)


def sentence(
    head: str,
    estimate: float,
    ends: tuple[float, float],
    test: str,
    reason: str,
    show: Callable[[float], str],
) -> str:
    """Return a result in one line.

    Parameters
    ----------
    head : str
    estimate : float
        Left out if it is NaN.
    ends : (float, float)
        The 95% interval.
    test : str
        "" if there is none; then there is no interval either.
    reason : str
    show : callable
        Formats a number.

    Returns
    -------
    str
    """
    size = f": {show(estimate)}" if math.isfinite(estimate) else ""
    interval = f" (95% {show(ends[0])} to {show(ends[1])}), {test}" if test else ""
    return "; ".join(filter(None, (head + size + interval, reason)))


@dataclass(frozen=True, slots=True)
class Words:
    """Words for one measure.

    Attributes
    ----------
    datum : str
        What is missing on a day without a value.
    above, below : str
        Label of the count of events whose mean sign is that of the sample.
    scale : float
        Shown is the value times this.
    unit, head, axis : str
        Behind a number, in a table head, and in a caption.
    what, formula, source : str
        What the abnormal values are, with its definition and where it is from; "" for returns.
    symbol : str
        Letter of the value in formulas.
    quantity : str
        What exp(value) multiplies.
    """

    datum: str = "price"
    above: str = "Did better than implied"
    below: str = "Did worse than implied"
    scale: float = 100.0
    unit: str = "%"
    head: str = "%"
    axis: str = "percent"
    what: str = ""
    formula: str = ""
    source: str = ""
    symbol: str = "R"
    quantity: str = ""

    def say(self, text: str) -> str:
        """Return a text that was written for returns and prices in the words of the measure."""
        if not self.what:
            return text
        return text.replace("abnormal return", "abnormal value").replace("price", self.datum)

    def signed(self, value: float) -> str:
        """Return a value with its unit in plain ASCII: ``+1.23%``."""
        return f"{self.scale * value:+.2f}{self.unit}"

    def within(self, reach: float) -> str:
        """Return a distance to both sides of zero with its unit: ``±5.6%``."""
        return f"±{self.scale * reach:.1f}{self.unit}"

    def meaning(self, value: float, length: int) -> str:
        """Return the change of the quantity behind a sum of logs: ``volume 52% above normal``.

        Parameters
        ----------
        value : float
            Sum of abnormal logs.
        length : int
            Days that it is the sum of.

        Returns
        -------
        str
            "" for returns.

        Notes
        -----
        The mean of logarithms is that of a geometric mean, exp(value / length).
        """
        if not self.quantity or not math.isfinite(value):
            return ""
        factor, daily = math.exp(value / length), " a day" if length > 1 else ""
        if factor >= 2:
            return f"{self.quantity} {factor:.1f} times normal{daily}"
        side = "below" if factor < 1 else "above"
        return f"{self.quantity} {100 * abs(factor - 1):.0f}% {side} normal{daily}"


def _log(quantity: str, formula: str, source: str) -> Words:
    upper = quantity.capitalize()
    return Words(
        datum=quantity, above=f"{upper} above normal", below=f"{upper} below normal", scale=1.0,
        unit=" log points", head="log pts", axis="log points", what=f"log {quantity}",
        formula=formula, source=source, symbol="v", quantity=quantity,
    )  # fmt: skip


VOLUMES, RANGES = "Campbell and Wasley (1996)", "Parkinson (1980)"
# By measure. The formulas are set like those of models.
WORDS: Mapping[str, Words] = {
    "return": Words(),
    "volume": _log("volume", "v_it = ln volume_it", VOLUMES),
    "turnover": _log("turnover", "v_it = ln(100 volume_it / shares_i + 0.000255)", VOLUMES),
    "volatility": _log("variance", "v_it = ln[(ln high_it − ln low_it)² / (4 ln 2)]", RANGES),
}
_SPOKEN: ContextVar[Words] = ContextVar("words", default=WORDS["return"])


def words() -> Words:
    """Return the words of the study that is being written about."""
    return _SPOKEN.get()


def in_its_words(function: F) -> F:
    """Let a function of results write in the words of their measure."""

    @functools.wraps(function)
    def speaking(results: Any, /, *args: Any, **kwargs: Any) -> Any:
        with speaking_of(results.panel.measure):
            return function(results, *args, **kwargs)

    return cast("F", speaking)


@contextmanager
def speaking_of(measure: str) -> Iterator[None]:
    """Write in the words of a measure."""
    token = _SPOKEN.set(WORDS[measure])
    try:
        yield
    finally:
        _SPOKEN.reset(token)
