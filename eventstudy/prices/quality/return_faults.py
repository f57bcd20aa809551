"""Faults of returns: their appearance, detection and treatment (docs/faults.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...utility.flags import Flag
from .fault_kinds import FLAGGED, MISSING
from .return_columns import CODE, INFINITE, LONE, LOSS, SUSPECT


class Reason(NamedTuple):
    """One kind of fault of returns.

    Attributes
    ----------
    looks, rule : str
        How it appears in the file, and how it is seen.
    action : str
        What is done.
    flags : tuple of str
        Flags of the events that it touches.
    spoken : (str, str)
        Its name in a sentence, for one and for several.
    remedy : str
        What to do, as sentences.
    """

    looks: str
    rule: str
    action: str
    flags: tuple[str, ...]
    spoken: tuple[str, str]
    remedy: str


QUARANTINED, UNIT, CODED = Flag.QUARANTINED, Flag.SUSPECT_UNIT, Flag.SUSPECT_MISSING_CODE
RETURN_FLAGS = (QUARANTINED, UNIT, CODED)
RETURN_FAULTS: Mapping[str, Reason] = {
    "infinite_return": Reason(
        "an infinite return", "not finite", MISSING, (QUARANTINED,),
        ("infinite return", "infinite returns"), "Correct the file.",
    ),
    "impossible_loss": Reason(
        "a simple return below -100 %, or one of -100 % with returns after it",
        "by its value; a file with more than 1 % of them is refused", MISSING, (QUARANTINED,),
        ("impossible loss", "impossible losses"),
        "No share loses more than 100 %, or trades on after it: correct the file.",
    ),
    "missing_code": Reason(
        "a code for a missing return: -99, -999, 99, 999 ..., CRSP's -44 to -88 and letters A to "
        "E; -0.99",
        "equal to a code; or one number is 80 % of the impossible values of a column, 3 or more; "
        "-0.99 if it is 3 times the next largest move and the next 10 returns are at most 3 times "
        "the usual size",
        MISSING, (CODED,), ("code for a missing return", "codes for missing returns"),
        "Leave such cells blank.",
    ),
    "impossible_return": Reason(
        "a cell in percent among decimals: 5 for 5 %",
        "a rise of 100 % or a fall of 95 % or more; 150 times the median size of its column (60 "
        "times as a logarithm) and 9 times the next largest move; 60 returns before it, and usual "
        "ones after it (median of 10 within a factor of 3, the first 5 at most 8 times the "
        "median), unless the price is 100 times the last one; fewer than 20 % of the other columns "
        "move by 30 % that day",
        MISSING, (QUARANTINED,), ("impossible return", "impossible returns"),
        "Neither its own history nor the market explains it: check it at its source.",
    ),
    "percent_column": Reason(
        "a column in percent, basis points or prices among decimals",
        "30 returns or more; the median size is above 100 %, or above 10 % with no negative "
        "value; or 1 % of simple returns are below -100 % (0.1 % if the median size is above "
        "10 %); or log returns of a median size of 30 % that wander as a random walk does; or 2 % "
        "are impossible returns; a file is refused if more than half of its columns are such",
        MISSING, (QUARANTINED, UNIT), ("column not in decimals", "columns not in decimals"),
        "Returns are decimals, 0.01 is 1 %: divide the column by 100 if it is in percent.",
    ),
    "suspect_return": Reason(
        "a return that may be in percent",
        "a rise of 100 % or a fall of 95 % or more; 50 times the median size, 3 times the next "
        "largest move, and not proven impossible; -0.99 that is not proven a code",
        FLAGGED, (UNIT,), ("suspect return", "suspect returns"), "It may be in percent: check it.",
    ),
    "suspect_column": Reason(
        "a column that may be in percent",
        "the median size is above 10 % and 10 times that of the others",
        FLAGGED, (UNIT,), ("suspect column", "suspect columns"), "It may be in percent: check it.",
    ),
}  # fmt: skip
MARKS: Mapping[int, str] = {
    INFINITE: "infinite_return", LOSS: "impossible_loss", CODE: "missing_code",
    LONE: "impossible_return", SUSPECT: "suspect_return",
}  # fmt: skip
# Kinds whose values are missing.
TAKEN_OUT = tuple(kind for kind, reason in RETURN_FAULTS.items() if reason.action == MISSING)
