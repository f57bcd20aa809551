"""The mean correlation of the CARs of some events."""

from __future__ import annotations

from dataclasses import dataclass

from ..abnormal import AbnormalReturns
from ..calendars import Window
from .pairs import least_common


@dataclass(frozen=True, slots=True)
class Correlation:
    """Mean correlation over all pairs of events.

    Attributes
    ----------
    rbar : float
        Mean of rho_ij o_ij; NaN if windows overlap and no pair has enough common sessions, unless
        the o_ij are too small for that to matter.
    same_date : float
        Mean over all pairs of rho_ij 1[same date], not below 0 (docs/methods/tests.md, r0).
    filled : int
        Pairs with too few common sessions that took the mean of the others.
    """

    rbar: float
    same_date: float
    filled: int

    def keep(self, sample: AbnormalReturns, window: Window) -> None:
        """Let a sample know its mean correlation over a window.

        Parameters
        ----------
        sample : AbnormalReturns
        window : Window
        """
        sample.keep(key_of(sample, window), self)


def key_of(sample: AbnormalReturns, window: Window) -> tuple[str, Window, int]:
    """Return under which key a sample knows its mean correlation.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    return "mean_correlation", window, least_common(sample)
