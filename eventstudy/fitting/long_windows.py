"""Windows of many days: abnormal returns below -100 %, and alpha that counts on every day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..models import LinearModel
from ..utility.catalogue import Reason
from ..utility.flags import Flag
from ..utility.typing import BoolArray

# A main window of more days than this has a word on alpha.
LONG = 60


def below_total_loss(abnormal: AbnormalReturns) -> BoolArray:
    """Return which events have a CAR or BHAR below -100 % over some window of event days, (n,)."""
    below = np.zeros(len(abnormal), dtype=bool)
    if abnormal.windows.measure != "return":
        return below
    ar, normal = np.nan_to_num(abnormal.ar), np.nan_to_num(abnormal.expected)
    is_log = abnormal.windows.kind == "log"
    held, held_normal = (np.exp(r) if is_log else 1 + r for r in (normal + ar, normal))
    # No window has a smaller sum than all losses, nor a smaller difference than this.
    least = np.minimum(held, 1).prod(axis=1) - np.maximum(held_normal, 1).prod(axis=1)
    rows = np.flatnonzero((np.minimum(ar, 0).sum(axis=1) < -1) | (least < -1))
    for day in range(ar.shape[1]):
        car = ar[rows, day:].cumsum(axis=1)
        bhar = held[rows, day:].cumprod(axis=1) - held_normal[rows, day:].cumprod(axis=1)
        below[rows] |= (np.minimum(car, bhar) < -1).any(axis=1)
    return below


def note_long_windows(
    abnormal: AbnormalReturns, flags: pd.Series[str], main: Window, model: LinearModel
) -> Iterator[Reason]:
    """Yield what is to be said of events below -100 %, else of a long main window.

    Parameters
    ----------
    abnormal : AbnormalReturns
    flags : Series
        Of the n events.
    main : Window
    model : LinearModel
    """
    below = flags.str.contains(Flag.BELOW_TOTAL_LOSS).to_numpy(bool)
    n, has_alpha = int(below.sum()), "alpha" in model.parameters and not model.zero_alpha
    if n and not has_alpha:
        yield Reason("below_total_loss", n=n)
    elif n or (has_alpha and len(main) > LONG and abnormal.windows.measure == "return"):
        days = len(abnormal.windows.event) if n else len(main)
        alpha = abnormal.params[below if n else abnormal.problem == "", 0]
        a = float(np.mean(alpha)) if len(alpha) else 0.0
        code = "below_with_alpha" if n else "long_alpha"
        yield Reason(code, n=n, alpha=a, days=days, total=a * days)
