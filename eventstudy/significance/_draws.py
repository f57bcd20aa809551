"""Mean correlations of many draws of one sample at once: the pattern of dates is that of all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import BoolArray, FloatArray, IntArray
from ._correlation import PairSum, least_common, preset, summed_up
from ._pairs import Loadings, apart, cosines_of, pearson
from ._session_sums import Correlation

# What is laid side by side of each event: residuals, their presence, their squares, and loadings.
X, THERE, SQUARE, LOADING = range(4)
LAYERS = 4


def preset_correlations(
    stack: AbnormalReturns, window: Window, samples: list[AbnormalReturns], kept: BoolArray,
    place: IntArray, axis: IntArray,
) -> bool:  # fmt: skip
    """Give each draw its mean correlation, the numbers of :func:`mean_correlation`.

    Parameters
    ----------
    stack : AbnormalReturns
        n events of each of B draws, draw by draw; the n are in the order of their dates.
    window : Window
    samples : list of AbnormalReturns
        The events of each draw that are `kept`.
    kept : (B, n) bool array
    place : (B, n) int array
        Day 0 of each event on the clock in which dates were shifted.
    axis : (T,) int array
        Place on that clock of each column of the panel; -1 for none.

    Returns
    -------
    bool
        False where the draws have to be computed one by one: sessions that leave the clock, or
        exchanges that are never open together.

    Notes
    -----
    Two events are as far apart in every draw, but for the draws in which the shift carries one of
    them across the ends: sums over their common sessions are products of slices, for all draws.
    """
    loadings = Loadings.of(stack, window)
    if loadings.hidden or apart(stack):
        return False
    B, n = place.shape
    layers = _layers(stack, loadings, place, axis, window)
    layers[~kept.T] = 0.0
    i, j, sums = _sums(layers, place)

    def total(a: int, b: int) -> FloatArray:
        """Return the sums of products of two layers, (B, pairs)."""
        return sums[:, :, a, b].T

    rho = pearson(
        total(X, X), total(THERE, THERE), (total(X, THERE), total(THERE, X)),
        (total(SQUARE, THERE), total(THERE, SQUARE)), least_common(stack),
    )  # fmt: skip
    length = np.sqrt(loadings.squares).reshape(B, n)
    overlap = cosines_of(total(LOADING, LOADING), length[:, i] * length[:, j])
    day0 = stack.windows.day0.reshape(B, n)
    together = (day0[:, i] == day0[:, j]).astype(float)
    both = kept[:, i] & kept[:, j]
    for sample, *pairs, counted in zip(samples, rho, overlap, together, both, strict=True):
        preset(sample, window, _mean(*(values[counted] for values in pairs), len(sample)))
    return True


def _mean(rho: FloatArray, overlap: FloatArray, together: FloatArray, n: int) -> Correlation:
    all_pairs, same_date = PairSum(), PairSum()
    all_pairs.add(rho, overlap)
    same_date.add(rho, together)
    return summed_up(all_pairs, same_date, n)


def _layers(
    stack: AbnormalReturns, loadings: Loadings, place: IntArray, axis: IntArray, window: Window
) -> FloatArray:
    """Return the layers of each event on days from its day 0, (n, B, LAYERS, days)."""
    (B, n), windows, there = place.shape, stack.windows, np.isfinite(stack.resid)
    resid = np.where(there, stack.resid, 0.0)
    values = (resid, there, resid**2, loadings.values)
    event = windows.event.days if loadings.before else window.days
    days = (windows.estimation.days, event)
    covered = (days[0], np.concatenate(days) if loadings.before else event)
    positions = (windows.estimation_positions, loadings.positions)
    first, last = days[0][0], event[-1]
    is_one_clock = len(windows.calendars) == 1 and all((at >= 0).all() for at in positions)
    if not is_one_clock:
        # A day is where its session is on the clock of all.
        zero = place.reshape(-1, 1)
        relative = [np.where(at >= 0, axis[at] - zero, 0) for at in positions]
        first, last = (int(f([f(at) for at in relative])) for f in (np.min, np.max))
    out = np.zeros((n, B, LAYERS, last - first + 1))
    for layer, array in enumerate(values):
        k = int(layer == LOADING)
        if is_one_clock:
            by_event = array.reshape(B, n, -1).transpose(1, 0, 2)
            for run in _slices(np.flatnonzero(np.diff(covered[k]) != 1) + 1, len(covered[k])):
                start = covered[k][run.start] - first
                out[:, :, layer, start : start + run.stop - run.start] = by_event[:, :, run]
            continue
        row, day = np.nonzero((positions[k] >= 0) & (array != 0))
        out[row % n, row // n, layer, relative[k][row, day] - first] = array[row, day]
    return out


def _slices(cuts: IntArray, n: int) -> list[slice]:
    """Return n rows in the slices between some cuts."""
    return [slice(*ends) for ends in pairwise([0, *cuts.tolist(), n])]


def _sums(layers: FloatArray, place: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return pairs of events that are near in a draw, and sums over their common sessions.

    Parameters
    ----------
    layers : (n, B, LAYERS, days) float array
    place : (B, n) int array

    Returns
    -------
    i, j : (pairs,) int arrays
    sums : (pairs, B, LAYERS, LAYERS) float array
        Of the products of their layers.
    """
    _, B, _, width = layers.shape
    gap = place[:, :, None] - place[:, None, :]
    i, j = np.nonzero(np.triu((abs(gap) < width).any(axis=0), 1))
    gap = gap[:, i, j]
    out = np.zeros((len(i), B, LAYERS, LAYERS))
    steady, pairs = (gap == gap[0]).all(axis=0).tolist(), zip(i.tolist(), j.tolist(), strict=True)
    before, after = (np.maximum(days, 0).tolist() for days in (gap[0], -gap[0]))
    for pair, (one, other) in enumerate(pairs):
        if steady[pair]:
            early, late = before[pair], after[pair]
            first = layers[one, :, :, late : width - early]
            out[pair] = first @ layers[other, :, :, early : width - late].transpose(0, 2, 1)
            continue
        for days in np.unique(gap[:, pair]).tolist():
            draws, early, late = gap[:, pair] == days, max(days, 0), max(-days, 0)
            if abs(days) < width:
                first = layers[one, draws, :, late : width - early]
                second = layers[other, draws, :, early : width - late]
                out[pair, draws] = first @ second.transpose(0, 2, 1)
    return i, j, out
