"""Conventions on which authors differ, and the seed of all random draws."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Literal, get_args, get_type_hints

from ..errors import ConfigError


@dataclass(frozen=True, slots=True)
class Conventions:
    """Choices where published methods of a test differ.

    docs/methods/tests.md gives the reasons for the defaults.

    Attributes
    ----------
    scar : {"exact", "sum"}
        How the CAR is standardised. "exact" divides the CAR by its standard error sqrt(c'Vc). "sum"
        divides the sum of the standardised abnormal returns by sqrt(L) (Patell 1976), where L is
        the number of days of the window. With "sum", tests raise too many false alarms in long
        windows.
    overlap : {"exact", "share"}
        How the correlation of two CARs whose windows overlap is computed: from the cosine of their
        weights on each session ("exact"), or from the share of common sessions ("share").
    missing : {"drop", "rescale", "zero"}
        How to treat an event that lacks days of a window. "drop" leaves the event out of the
        window. "rescale" multiplies the CAR by L / (days that the event has), where L is the number
        of days of the window. "zero" uses the sum over the days that the event has. The
        standardised CAR is the same for "rescale" and "zero".
    limits : {"extend", "none", "drop"}
        How to treat a window whose last day closes at a price limit. "extend" lets the window run
        to the first close off the limit. "none" ends the window as usual. "drop" leaves the event
        out. The mean is then biased, because large effects are left out.
    min_history : int
        Fewest complete estimation days of an event in standardised tests and in the answer; 0 = no
        minimum. A value up to 60 is capped at three quarters of the estimation window; a value
        above 60 is not capped. The plain average keeps events with fewer days.
    fpc : bool
        Divide rank statistics of windows of L of the T days by sqrt((T-L)/(T-1)), because ranks are
        a finite population.
    draws : int
        Number of random samples of each resampling test.
    seed : int
        Seed of the random numbers of resampling tests.

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
