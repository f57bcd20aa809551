"""What is known of a single event beside its t: its rank, its volatility then, and its peers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...fitting import FittedStudy
from ...returns import Benchmarks
from ...significance import DECIMALS, STATISTICS, block_sums
from ...utility import FloatArray
from ..placebos.placebo import fit_around, peers_of
from ..placebos.shifted_dates import MIN_SHARE, days_of

# Decimals of the earlier moves.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class OneEvent:
    r"""Comparisons of a single event with earlier windows of the firm and with other firms.

    Attributes
    ----------
    as_far, earlier : int
        `earlier` is the number of windows of the same length on the estimation days. `as_far`
        counts those whose CAR, in the direction of the event, is at least as large as that of the
        event. The normal return of each window is predicted without the window itself.
    rank_pvalue : float
        Two-sided p-value of the test ``sq``: 2 (1 + as_far) / (1 + earlier), at most 1.
    peers_as_far, peers : int
        `peers` is the number of firms in the column ``peers`` with a CAR on the same days.
        `peers_as_far` counts those whose \\|t\\| is at least that of the event.
    moves : tuple of float
        CARs of the earlier windows (decimal).
    """

    as_far: int = 0
    earlier: int = 0
    rank_pvalue: float = np.nan
    peers_as_far: int = 0
    peers: int = 0
    moves: tuple[float, ...] = ()


def measure_one_event(study: FittedStudy, window: Window) -> OneEvent:
    """Return what stands beside the t of the only event of a study that is tested over `window`.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Returns
    -------
    OneEvent
        Without earlier windows where none can be predicted, or a price limit extends the window;
        without peers where the events name none or their prices are not in the panel.
    """
    row = int(np.argmax(study.abnormal.in_tests(window)))
    sample = study.abnormal.tested(window)
    t = STATISTICS[STATISTICS.main(1)](sample, window).statistic
    rank = STATISTICS["sq"](sample, window).pvalue
    # Windows of this length say nothing of one that a price limit extends.
    is_ranked = np.isfinite(rank) and not sample.extended(window)[0]
    sums = block_sums(sample, len(window))[0] if is_ranked else np.zeros(0)
    sums = sums[np.isfinite(sums)]
    beyond = (sums - sample.unextended.level_car(window)[0]) * np.sign(t)
    peers = np.abs(_peers(study, row, window))
    return OneEvent(
        as_far=int((np.round(beyond, DECIMALS) >= 0).sum()), earlier=len(beyond), rank_pvalue=rank,
        peers_as_far=int((peers >= abs(t)).sum()), peers=len(peers),
        moves=tuple(sums.round(DIGITS).tolist()),
    )  # fmt: skip


def other_days_variance(sample: AbnormalReturns, window: Window) -> float:
    """Return the mean squared SAR of the other days of the event windows; NaN without such days.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window

    Returns
    -------
    float
        How many times as variable as on estimation days the abnormal returns were.
    """
    around = np.delete(sample.sar, np.arange(sample.sar.shape[1])[sample.columns(window)], axis=1)
    squares = around[np.isfinite(around)] ** 2
    return float(squares.mean()) if len(squares) else np.nan


def _peers(study: FittedStudy, row: int, window: Window) -> FloatArray:
    """Return the t of the CARs that the peers of an event have on its days."""
    if Benchmarks.PEERS not in study.events or study.layout is None:
        return np.zeros(0)
    rows = peers_of(study, study.layout)[row]
    if not len(rows):
        return np.zeros(0)
    same = np.full(len(rows), row)
    layout = replace(study.layout.take(same), rows=rows)
    abnormal = fit_around(study, layout, days_of(study)[same], window)
    used = abnormal.valid(window) & (abnormal.nobs >= MIN_SHARE * study.abnormal.nobs[row])
    t = abnormal.car_t(window) / np.sqrt(abnormal.recent_variance(window))
    return np.asarray(t[used])
