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
        standard error. With "sum", it divides the sum of the standardised abnormal returns by
        sqrt(L), where L is the number of days of the window (Patell 1976). In long windows, tests
        with "sum" reject a true null hypothesis too often.
    overlap : {"exact", "share"}
        How the program computes the correlation of two CARs whose windows overlap. With "exact", it
        uses the weight that each session of the estimation and event windows has in each of the two
        CARs. With "share", it uses only the number of sessions that the two windows have in common.
    missing : {"drop", "rescale", "zero"}
        How to treat an event that has no abnormal return on some days of a window. With "drop", the
        results for this window leave the event out. With "zero", the CAR is the sum over the days
        with an abnormal return, as if the abnormal return of the other days were zero. With
        "rescale", this sum is multiplied by the number of days of the window and divided by the
        number of days with an abnormal return. The standardised CAR is the same for "rescale" and
        "zero".
    limits : {"extend", "none", "drop"}
        What to do if the share closes at a price limit of its exchange on the last day of a window.
        With "extend", the window is extended to the first session that does not close at the limit.
        With "none", the window does not change. With "drop", the event is left out. Dropping such
        events biases the mean, because their effects are often large.
    min_history : int
        Smallest number of estimation days with complete data that an event needs; 0 = no minimum.
        Standardised tests and the main answer leave out events below this minimum. The unweighted
        average of the CARs keeps these events. If the setting is at most 60, the minimum is never
        more than three quarters of the days of the estimation window.
    fpc : bool
        Whether rank tests use the finite-population correction. With the correction, the statistic
        is divided by sqrt((T-L)/(T-1)). Here T is the number of days whose abnormal returns are
        ranked, and L is the number of days of the window.
    draws : int
        Number of random samples that each resampling test draws.
    seed : int
        Seed of the random numbers of resampling tests, of the p-value from other dates, and of
        p-values adjusted by Romano-Wolf.

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
