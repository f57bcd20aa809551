"""Conventions on which authors differ, and the seed of all random draws."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Literal, get_args, get_type_hints

from ..errors import ConfigError


@dataclass(frozen=True, slots=True)
class Conventions:
    """Settings of the significance tests.

    Attributes
    ----------
    scar : {"exact", "sum"}
        How the CAR of an event is standardised. With "exact", the program divides the CAR by its
        standard error. With "sum", it divides the sum of L standardised abnormal returns by sqrt(L)
        (Patell 1976). In long windows, tests with "sum" reject a true null hypothesis too often.
    overlap : {"exact", "share"}
        How the program computes the correlation of two CARs whose windows overlap. With "exact", it
        uses the weight that each session of the estimation and event windows has in each of the two
        CARs. With "share", it uses only the number of sessions that the two windows have in common.
    missing : {"drop", "rescale", "zero"}
        What to do if an event lacks the abnormal returns of some days of a window. With "drop", the
        event has no CAR over this window, and tests over the window leave it out. With "zero", the
        CAR is the sum of the abnormal returns that the event has. With "rescale", the program
        multiplies this sum by the number of days of the window, and divides it by the number of
        days that the abnormal returns cover. The standardised CAR is the same for "rescale" and
        "zero".
    limits : {"extend", "none", "drop"}
        What to do if the share closes at a price limit of its exchange on the last day of a window.
        With "extend", the program extends the window to the first session that does not close at
        the limit. With "none", the window does not change. With "drop", the program leaves the
        event out of this window. Effects of events at a limit are often large, so leaving them out
        biases the mean.
    min_history : int
        Smallest number of complete estimation days that an event needs for standardised tests and
        for the main answer; 0 = no minimum. An estimation day is complete if all returns that the
        model needs are known. The unweighted average of the CARs also uses events below this
        minimum. If the setting is at most 60, the minimum is never more than three quarters of the
        days of the estimation window.
    fpc : bool
        Whether rank tests use the finite-population correction. With the correction, the program
        divides the test statistic by sqrt((T-L)/(T-1)). Here T is the number of days whose abnormal
        returns are ranked, and L is the number of days of the window.
    draws : int
        Number of random samples that each resampling test draws.
    seed : int
        Seed of the random numbers of resampling tests, of the p-value from other dates, and of
        p-values adjusted by the method of Romano and Wolf.

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
