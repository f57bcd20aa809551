"""Flags of events: every flag that the tool raises, by its name in ``events.csv``."""

from __future__ import annotations

from enum import StrEnum, auto


class Flag(StrEnum):
    """A remark on the data of one event; the catalogue says what it means (``[flag]``).

    Examples
    --------
    >>> ";".join([Flag.PRICE_LIMIT, Flag.TIME_UNKNOWN])
    'price_limit;time_unknown'
    """

    TIME_UNKNOWN = auto()
    DAY0_GIVEN = auto()
    ASSUMED_SESSION = auto()
    SHORT_ESTIMATION = auto()
    SHORT_HISTORY = auto()
    MULTI_DAY_RETURN = auto()
    INCOMPLETE_WINDOW = auto()
    MISSING_DAYS = auto()
    BENCHMARK_FALLBACK = auto()
    CONFOUNDED = auto()
    FALLBACK_MODEL = auto()
    HALT_SHIFTED = auto()
    PRICE_LIMIT = auto()
    MASKED_DAYS = auto()
    OVERLAPPING_EVENT = auto()
    MERGED = auto()
    SUSPECT_PRICE = auto()
    SUSPECT_SPLIT = auto()
    SUSPECT_MOVE = auto()
    FILLED = auto()
    SOURCES_DIFFER = auto()
    QUARANTINED = auto()
    SUSPECT_UNIT = auto()
    SUSPECT_MISSING_CODE = auto()
    BELOW_TOTAL_LOSS = auto()
    MARKET_UNUSABLE = auto()

    @staticmethod
    def of(cell: object) -> list[str]:
        """Return the flags in a cell of ``events.csv``, in their order."""
        return [flag.strip() for flag in str(cell).split(";") if flag.strip()]
