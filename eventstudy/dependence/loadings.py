"""How much each daily error counts in the CAR of an event, and sums of that over sessions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def loadings_on(
    sample: AbnormalReturns, window: Window, axis: IntArray | None = None
) -> FloatArray:
    """Return the loadings of n CARs on calendar columns, shape (n, T).

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    window : Window
    axis : (T,) int array, optional
        Columns; by default all that the loadings have.
    """
    loadings = Loadings.of(sample, window)
    first, last = loadings.ends
    columns = range(int(first.min()), int(last.max()) + 1)
    laid = loadings.on(columns, np.arange(len(sample)))
    if axis is None:
        return laid
    inside = (axis >= columns.start) & (axis < columns.stop)
    out = np.zeros((len(sample), len(axis)))
    out[:, inside] = laid[:, axis[inside] - columns.start]
    return out


@dataclass(frozen=True, eq=False)
class Loadings:
    """Weights of the daily errors of n events in their CARs over a window.

    By convention ``overlap="share"`` that is 1 on the sessions that the window covers and 0
    elsewhere, the limit for long estimation windows: the cosine of two is the share of common
    sessions.

    Attributes
    ----------
    values : (n, L) floats
    positions : (n, L) ints
        Calendar columns of the values; negative where there is no session.
    hidden : pairs of an event and columns
        Sessions that returns over several sessions cover: 1 each. The value there is 0, so that
        each session counts once.
    before : int
        Number of the L that are estimation days; the days of the CAR itself follow.
    """

    values: FloatArray
    positions: IntArray
    hidden: list[tuple[int, IntArray]]
    before: int = 0

    @classmethod
    def of(cls, sample: AbnormalReturns, window: Window) -> Loadings:
        """Return the loadings of the CARs of events.

        Parameters
        ----------
        sample : AbnormalReturns
        window : Window
        """
        hidden = sample.hidden(window)
        if sample.conventions.overlap == "share":
            covered = sample.positions_over(window)
            return cls(without(hidden, np.ones(covered.shape), covered), covered, hidden)
        pull, event = sample.loading_parts(window)
        weights = np.einsum("nj,nlj->nl", pull, sample.x_estimation)
        estimation = np.where(np.isfinite(sample.resid), weights, 0.0)
        positions = sample.windows.positions
        values = without(hidden, np.hstack([estimation, event]), positions)
        return cls(values, positions, hidden, estimation.shape[1])

    def on(self, columns: range, events: IntArray) -> FloatArray:
        """Return the loadings of some events on adjacent calendar columns, (events, columns).

        Parameters
        ----------
        columns : range
        events : (e,) int array
        """
        out = laid(self.values[events], self.positions[events], columns)
        for i, sessions in self.hidden:
            out[np.ix_(events == i, np.isin(columns, sessions).nonzero()[0])] = 1.0
        return out

    @property
    def squares(self) -> FloatArray:
        """Squared length of the loadings of each event."""
        out: FloatArray = (np.where(self.positions >= 0, self.values, 0.0) ** 2).sum(axis=1)
        for i, sessions in self.hidden:
            out[i] += len(sessions)
        return out

    @property
    def ends(self) -> tuple[IntArray, IntArray]:
        """First and last column of each event."""
        first, last = ends_of(self.positions)
        for i, sessions in self.hidden:
            first[i], last[i] = min(first[i], *sessions), max(last[i], *sessions)
        return first, last


def without(
    hidden: Iterable[tuple[int, IntArray]], values: FloatArray, positions: IntArray
) -> FloatArray:
    """Return loadings that are 0 on the sessions which `hidden` counts.

    Parameters
    ----------
    hidden : pairs of an event and columns
    values : (n, L) float array
    positions : (n, L) int array
        Calendar columns of the values.
    """
    out = values.copy() if hidden else values
    for i, sessions in hidden:
        out[i, np.isin(positions[i], sessions)] = 0.0
    return out


def ends_of(positions: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first and the last column of each event, (n,) each.

    Parameters
    ----------
    positions : (n, L) int array
        Calendar columns; negative where there is none.
    """
    never = np.iinfo(positions.dtype).max
    return np.where(positions >= 0, positions, never).min(axis=1), positions.max(axis=1)


def laid(values: FloatArray, positions: IntArray, columns: range) -> FloatArray:
    """Return values of events on adjacent calendar columns, 0 elsewhere, (n, columns, ...).

    Parameters
    ----------
    values : (n, L, ...) float array
    positions : (n, L) int array
        Calendar columns of the values; those outside are left out.
    columns : range
    """
    out = np.zeros((len(values), len(columns) + 1, *values.shape[2:]))
    place = positions - columns.start
    place[(place < 0) | (place >= len(columns))] = -1
    out[np.arange(len(values))[:, None], place] = values
    return out[:, :-1]


@dataclass(frozen=True, eq=False)
class LoadingSums:
    """Loadings over their length, l_i / |l_i|, added up over events, on T sessions.

    Attributes
    ----------
    all, inside : (T,) float arrays
        Sums of all loadings, and of those of the days of the CARs only.
    squares : (2,) float array
        Sums over events of the squared lengths of these.
    """

    all: FloatArray
    inside: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, sample: AbnormalReturns, window: Window) -> LoadingSums:
        """Return the sums over the events of a sample, chunk by chunk.

        Parameters
        ----------
        sample : AbnormalReturns
        window : Window
        """
        key, rows = ("loading_sums", window), np.ones(len(sample), dtype=bool)
        return sample.cached(key, lambda: cls._summed(sample, [(window, rows)])[0])

    @classmethod
    def prepare(
        cls, abnormal: AbnormalReturns, windows: Iterable[tuple[Window, BoolArray]]
    ) -> None:
        """Make the sums of many windows in one pass over the events, or add up those of groups.

        Parameters
        ----------
        abnormal : AbnormalReturns
            n events.
        windows : iterable of Window and (n,) bool array
            With the events that are taken over each.
        """
        new = []
        for window, rows in windows:
            key = ("loading_sums", window)
            used = [(group, rows[group.positions]) for group in abnormal.groups]
            known = [group.where(mask).kept(key) for group, mask in used if mask.any()]
            if known and None not in known:
                sums = cls(*(sum(getattr(k, f.name) for k in known) for f in fields(cls)))
                abnormal.where(rows).keep(key, sums)
            else:
                new.append((window, rows))
        for (window, rows), sums in zip(new, cls._summed(abnormal, new), strict=True):
            sample = abnormal.where(rows)
            if sample.kept(("loading_sums", window)) is None:
                sample.keep(("loading_sums", window), sums)

    @classmethod
    def _summed(
        cls, abnormal: AbnormalReturns, windows: Sequence[tuple[Window, BoolArray]]
    ) -> list[LoadingSums]:
        if not windows:
            return []
        T = len(abnormal.windows.sessions)
        (of_pair, masks) = zip(*windows, strict=True)
        names = list(dict.fromkeys(of_pair))
        in_window = np.stack(masks, axis=1)
        first = 0
        numbers = np.array([names.index(window) for window in of_pair])
        total = np.zeros((2, T, len(numbers)))
        squares = np.zeros((2, len(numbers)))
        for units in abnormal.by_chunk(lambda events: UnitLoadings.of(events, names).over(numbers)):
            rows = slice(first, first := first + len(units.x))
            for sums, added in zip((total, squares), units.summed(in_window[rows], T), strict=True):
                sums += added
        of_window = zip(*total.transpose(0, 2, 1), squares.T, strict=True)
        return [cls(every, inside, square) for every, inside, square in of_window]

    def pairs(self) -> tuple[float, float]:
        """Return the sum of o_ij over all pairs i != j, in the days of the CARs and elsewhere."""
        every = self.all @ self.all - self.squares[0]
        inside = self.inside @ self.inside - self.squares[1]
        return float(inside), float(every - inside)

    def pairs_with(self, sums: LoadingSums, at: tuple[IntArray, IntArray]) -> tuple[float, float]:
        """Return the sums of o_ij over the pairs of one event each, as in :meth:`pairs`.

        Parameters
        ----------
        sums : LoadingSums
            Of the second group of events.
        at : two int arrays
            Sessions of either group that belong together.
        """
        a, b = at
        every = self.all[a] @ sums.all[b]
        inside = self.inside[a] @ sums.inside[b]
        return float(inside), float(every - inside)


@dataclass(frozen=True, eq=False)
class UnitLoadings:
    """Loadings of n events over W windows, over their length.

    Those of an estimation day are its regressors times a vector, and those of an event day one
    number or 0.

    Attributes
    ----------
    events : AbnormalReturns
    x : (n, L1, k) float array
        Regressors of the estimation days, 0 on those left out.
    pull : (n, k, W) float array
        What they are multiplied by.
    days : (n, L2, W) float array
        Loadings of the event days.
    unit : (n, W) float array
        One over the length; 0 where there is none.
    hidden : list of (event, window, sessions)
        As in :class:`Loadings`.
    """

    events: AbnormalReturns
    x: FloatArray
    pull: FloatArray
    days: FloatArray
    unit: FloatArray
    hidden: list[tuple[int, int, IntArray]]

    @classmethod
    def of(cls, events: AbnormalReturns, windows: Sequence[Window]) -> Self:
        """Return the loadings of events.

        Parameters
        ----------
        events : AbnormalReturns
        windows : sequence of Window
        """
        pairs = [_parts(events, window) for window in windows]
        pull, days = (np.stack(each, axis=2) for each in zip(*pairs, strict=True))
        # Events without an estimate, or without a day of the window, are none of a sample.
        pull[~np.isfinite(pull)] = days[events.windows.event_positions < 0] = 0.0
        x = np.zeros((len(events), 0, 0))
        if pull.shape[1]:
            x = np.where(np.isfinite(events.resid)[:, :, None], events.x_estimation, 0.0)
        hidden = [(i, w, at) for w, window in enumerate(windows) for i, at in events.hidden(window)]
        for i, w, at in hidden:
            days[i, np.isin(events.windows.event_positions[i], at), w] = 0.0
        squares = np.einsum("nkw,nkw->nw", pull, (x.transpose(0, 2, 1) @ x) @ pull)
        squares += np.einsum("nlw,nlw->nw", days, days)
        for i, w, at in hidden:
            squares[i, w] += len(at)
        unit = np.divide(1.0, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
        return cls(events, x, pull * unit[:, None], days * unit[:, None], unit, hidden)

    def over(self, numbers: IntArray) -> Self:
        """Return the loadings over some of the windows, which may come several times.

        Parameters
        ----------
        numbers : (P,) int array
            Numbers of windows.
        """
        hidden = [(i, int(p), at) for i, w, at in self.hidden for p in np.flatnonzero(numbers == w)]
        arrays = {name: getattr(self, name)[..., numbers] for name in ("pull", "days", "unit")}
        return replace(self, hidden=hidden, **arrays)

    def summed(self, in_window: BoolArray, T: int) -> tuple[FloatArray, FloatArray]:
        """Return the sums of :class:`LoadingSums` of the events taken, (2, T, W) and (2, W).

        Parameters
        ----------
        in_window : (n, W) bool array
        T : int
            Sessions.
        """
        at, days = self.events.windows, self.days * in_window[:, None]
        event = at.event_positions.reshape(-1, 1)
        covered = _by_session(event, event >= 0, np.ones(event.shape), T)
        inside = covered @ days.reshape(len(event), -1)
        squares = np.einsum("nlw,nlw->w", days, days)
        for i, w, sessions in self.hidden:
            inside[sessions, w] += self.unit[i, w] * in_window[i, w]
            squares[w] += len(sessions) * (self.unit[i, w] * in_window[i, w]) ** 2
        total = inside.copy()
        if self.x.size:
            before = at.estimation_positions
            used = np.isfinite(self.events.resid) & (before >= 0)
        for j in range(self.x.shape[2]):
            regressor = _by_session(before, used, self.x[:, :, j], T)
            total += regressor @ (self.pull[:, j] * in_window)
        every = (in_window & (self.unit > 0)).sum(axis=0)
        return np.stack([total, inside]), np.stack([every, squares])


def _parts(events: AbnormalReturns, window: Window) -> tuple[FloatArray, FloatArray]:
    """Return what multiplies the regressors of estimation days, and the loadings of event days."""
    if events.conventions.overlap == "exact":
        return events.loading_parts(window)
    days = np.zeros(events.ar.shape)
    days[:, events.columns(window)] = 1.0
    return np.zeros((len(events), 0)), days


def _by_session(at: IntArray, used: BoolArray, values: FloatArray, T: int) -> csr_array:
    """Lay the values (n, L) that are `used` on their sessions, (T, n)."""
    from scipy.sparse import csc_array

    ends = np.append(0, np.cumsum(used.sum(axis=1)))
    return csc_array((values[used], at[used], ends), shape=(T, len(at))).tocsr()
