"""Many events in chunks, so that temporary arrays stay in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .typing import AnyArray

# Events of a chunk. The same for any number of workers, so that they compute the same bits.
CHUNK = 500
# The estimation days of so many events are kept, of more only the residuals; the rest is laid out
# again, chunk by chunk: to write 20 kB an event to memory takes longer than to gather them anew.
KEPT = 2000
# All estimation days of more events than this would not fit into memory.
HOLDABLE = 50_000
# Of work that is done event by event, so that a study of some hundred keeps several workers busy.
SMALL_CHUNK = 50


def chunks(n: int, size: int = CHUNK) -> list[slice]:
    """Cut n events into slices of at most `size`; one that is empty where there are none.

    Parameters
    ----------
    n : int
    size : int
    """
    return [slice(first, min(first + size, n)) for first in range(0, max(n, 1), size)]


def joined(n: int, pieces: Iterable[Mapping[str, AnyArray]]) -> dict[str, Any]:
    """Return the arrays of n events from those of chunks, each taken up before the next is made.

    Parameters
    ----------
    n : int
    pieces : iterable of mapping of str to array
    """
    arrays: dict[str, AnyArray] = {}
    first = 0
    for piece in pieces:
        size = len(next(iter(piece.values())))
        if size == n:
            return dict(piece)
        for name, rows in piece.items():
            if not first:
                arrays[name] = np.empty((n, *rows.shape[1:]), rows.dtype)
            arrays[name][first : first + size] = rows
        first += size
    return arrays


class Pieces(Sequence[Any]):
    """A record in chunks, each taken in its turn and released after it."""

    def __init__(self, record: Any, size: int = CHUNK) -> None:
        self.record, self.slices = record, chunks(len(record), size)

    def __len__(self) -> int:
        return len(self.slices)

    def __getitem__(self, i: Any) -> Any:
        return self.record.take(self.slices[i])
