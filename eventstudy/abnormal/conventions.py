"""Conventions on which authors differ, and the seed of all random draws."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Literal, get_args, get_type_hints

from ..errors import ConfigError


@dataclass(frozen=True, slots=True)
class Conventions:
    """Choices that a test may make in more than one way; the defaults are in docs/methods/tests.md.

    Attributes
    ----------
    scar : {"exact", "sum"}
        SCAR as CAR / sqrt(c'Vc), or as the sum of the SARs over sqrt(L) (Patell 1976), which
        over-rejects as L grows.
    overlap : {"exact", "share"}
        Correlation of two CARs by the cosine of their loadings, or by the share of common sessions.
    missing : {"drop", "rescale", "zero"}
        An event that lacks days of a window leaves it ("drop"), enters with CAR x L / days covered
        ("rescale"), or with the days that it has ("zero"). The standardised CAR is the same in the
        last two cases.
    limits : {"extend", "none", "drop"}
        A window that closes at a price limit runs on to the first close off the limit ("extend"),
        ends as it is ("none"), or loses the event ("drop": biased, since large effects leave).
    min_history : int
        Fewest complete estimation days of an event in standardised tests and in the answer; 0 = no
        minimum. Up to 60 it is three quarters of the estimation window at most; a larger number
        counts as it is. The plain average keeps the event.
    fpc : bool
        Divide rank statistics of windows by sqrt((T-L)/(T-1)): ranks are a finite population.
    draws : int
        Draws of resampling tests.
    seed : int
        Seed of resampling tests.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.Conventions(seed=7).draws
    999
    """

    # The draws of a published number can be repeated with it; no other meaning.
    SEED: ClassVar[int] = 20251119
    DRAWS: ClassVar[int] = 999
    # Other dates on which a run repeats its main test, and of how many events at most.
    CALIBRATE: ClassVar[int] = 499
    MOST_CALIBRATED: ClassVar[int] = 200
    # The fewest of which one may be as extreme as the study and p = (1 + 1) / (1 + N) is 5 %.
    FEWEST_PLACEBOS: ClassVar[int] = 39
    # Complete estimation days that standardised tests need unless another number is asked for.
    HISTORY: ClassVar[int] = 60

    scar: Literal["exact", "sum"] = "exact"
    overlap: Literal["exact", "share"] = "exact"
    missing: Literal["drop", "rescale", "zero"] = "drop"
    limits: Literal["extend", "none", "drop"] = "extend"
    min_history: int = HISTORY
    fpc: bool = False
    draws: int = DRAWS
    seed: int = SEED

    def __post_init__(self) -> None:
        for name, choices in _choices(Conventions).items():
            if (value := getattr(self, name)) not in choices:
                remedy = "use " + ", ".join(choices)
                raise ConfigError("unknown choice", where=name, value=value, remedy=remedy)
        if self.draws < 1:
            raise ConfigError("at least one draw is needed", where="draws", value=self.draws)


@cache
def _choices(kind: Any) -> dict[str, tuple[Any, ...]]:
    """Return the choices of each convention that has some."""
    hints = get_type_hints(kind)
    choices = {f.name: get_args(hints[f.name]) for f in fields(kind)}
    return {name: words for name, words in choices.items() if words}
