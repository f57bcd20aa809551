"""Days joined with those after them, up to the first close off a price limit."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..utility.typing import BoolArray, FloatArray, IntArray

# Conventions on price limits by which a window runs on until the first free close.
EXTENDING = ("extend", "censored")


# The fields of Runs that stand for those of single days.
RUN = {"ar": "ar", "noise": "noise", "x_event": "x"}


@dataclass(frozen=True, eq=False)
class Runs:
    """Each event day joined with the sessions after it until the first close off a price limit.

    Attributes
    ----------
    at_limit : (n, L2) bool array
        Whether the day closes at a limit; elsewhere the run is the day itself.
    ar, noise : (n, L2) float arrays
        Abnormal return of the run, compounded, and the variance of its error; NaN if no close off
        the limit was found.
    actual, expected : (n, L2) float arrays
        Return and normal return of the run, compounded.
    length : (n, L2) int array
        Sessions of the run.
    x : (n, L2, k) float array
        Regressors, summed over the run.
    """

    at_limit: BoolArray
    ar: FloatArray
    noise: FloatArray
    actual: FloatArray
    expected: FloatArray
    length: IntArray
    x: FloatArray

    def take(self, rows: IntArray | BoolArray | slice) -> Runs:
        """Return the runs of some events."""
        return Runs(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})
