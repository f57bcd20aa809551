"""One symbol as the store holds it, and its bytes."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..errors import BadAnswerError
from ._actions import Action, from_json, to_json
from ._base import DATE_DTYPE, NUMBER_COLUMNS, Prices, Provenance, matrix_of

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from ..utility.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Held:
    """The rows of one symbol with where they came from.

    Parameters
    ----------
    symbol : str
    rows : DataFrame
        Columns `COLUMNS`, sorted by date.
    provenance : Provenance
    actions : tuple of Action
    asked : (str, str)
        ISO dates of the range that need not be asked again, inclusive.
    fetched_at : str
        ISO 8601 time in UTC, to the second.
    """

    symbol: str
    rows: pd.DataFrame
    provenance: Provenance
    actions: tuple[Action, ...]
    asked: tuple[str, str]
    fetched_at: str

    @classmethod
    def all_of(cls, prices: Prices, asked: tuple[date, date] | None, now: datetime) -> list[Held]:
        """Return what a fetch brought, one for each symbol."""
        found = []
        for symbol, rows in prices.parts().items():
            given = prices.provenance[symbol]
            when = utc(given.retrieved_at or now.isoformat())
            actions = prices.actions.get(symbol, ())
            found.append(cls(symbol, rows, given, actions, _settled(given, asked), when))
        return found

    def covers(self, start: date | str, end: date | str) -> bool:
        """Return whether all of `start` to `end` was asked."""
        return self.asked[0] <= str(start) and str(end) <= self.asked[1]

    def packed(self) -> tuple[str, str, str, str, str, str, bytes]:
        """Return the columns `RECORD` of the database."""
        raw = raw_bytes(self.rows)
        about = json.dumps(asdict(self.provenance), sort_keys=True)
        digest = hashlib.sha256(raw).hexdigest()
        return (
            *self.asked,
            self.fetched_at,
            about,
            to_json(self.actions),
            digest,
            zlib.compress(raw, 1),
        )


def utc(text: str) -> str:
    """Return an ISO time as UTC to the second; one without an offset is UTC already."""
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds")


def _settled(provenance: Provenance, asked: tuple[date, date] | None) -> tuple[str, str]:
    """Return the range that need not be asked again: of the day of the retrieval only the rows."""
    if asked is None:
        return provenance.first, provenance.last
    first, last = asked[0].isoformat(), asked[1].isoformat()
    if provenance.retrieved_at:
        day = datetime.fromisoformat(provenance.retrieved_at).date() - timedelta(days=1)
        last = min(last, max(day.isoformat(), provenance.last))
    return first, last


def raw_bytes(rows: pd.DataFrame) -> bytes:
    """Return a little-endian float64 array of shape (7, n_rows): days since 1970-01-01, then the
    numbers."""
    return matrix_of(rows).astype("<f8").tobytes()


def unpack(symbol: str, record: tuple[Any, ...], donor: tuple[Any, ...] | None = None) -> Held:
    """Return what the columns `RECORD` hold; parameters and errors as for `verified`."""
    matrix, provenance, actions = verified(symbol, record, donor)
    return Held(
        symbol, frame({symbol: matrix}), provenance, actions, (record[0], record[1]), record[2]
    )


def verified(
    symbol: str, record: tuple[Any, ...], donor: tuple[Any, ...] | None = None
) -> tuple[FloatArray, Provenance, tuple[Action, ...]]:
    """Return the array of a record, as in `raw_bytes`, with provenance and actions.

    Parameters
    ----------
    symbol : str
    record : tuple
        In the order of `RECORD`.
    donor : tuple, optional
        The later record whose blob holds the rows of one without a blob.

    Raises
    ------
    BadAnswerError
        When the bytes have changed since they were written.
    """
    import numpy as np

    *_, about, actions, digest, blob = record
    try:
        raw = zlib.decompress(blob if donor is None else donor[-1])
        provenance, kept = Provenance(**json.loads(about)), from_json(actions)
        matrix = np.frombuffer(raw, dtype="<f8").reshape(len(NUMBER_COLUMNS) + 1, -1)
    except (zlib.error, ValueError, TypeError):
        raise _damaged(symbol) from None
    if donor is not None:
        matrix = within(matrix, provenance.first, provenance.last)
        raw = matrix.tobytes()
    if hashlib.sha256(raw).hexdigest() != digest:
        raise _damaged(symbol)
    return matrix, provenance, kept


def within(matrix: FloatArray, start: date | str, end: date | str) -> FloatArray:
    """Return the columns of an array dated from `start` to `end`, both inclusive."""
    import numpy as np

    first, last = (np.datetime64(str(day), "D").astype("int64") for day in (start, end))
    low, high = np.searchsorted(matrix[0], first), np.searchsorted(matrix[0], last, side="right")
    return matrix[:, low:high]


def has_closes(matrix: FloatArray) -> bool:
    """Return whether any close, adjusted or not, is there."""
    import numpy as np

    closes = [1 + NUMBER_COLUMNS.index(name) for name in ("close", "adj_close")]
    return not np.isnan(matrix[closes]).all()


def frame(matrices: Mapping[str, FloatArray]) -> pd.DataFrame:
    """Return the rows of symbols in the common shape, in the order given, made at one go for
    speed."""
    import numpy as np
    import pandas as pd

    lengths = [matrix.shape[1] for matrix in matrices.values()]
    days, *numbers = np.concatenate([*matrices.values()], axis=1).astype("float64")
    dates = days.astype("int64").astype("datetime64[D]").astype(DATE_DTYPE)
    symbols = pd.Series([*matrices], dtype="str").repeat(lengths).reset_index(drop=True)
    columns = dict(zip(NUMBER_COLUMNS, numbers, strict=True))
    return pd.DataFrame({"symbol": symbols, "date": dates, **columns})


def _damaged(symbol: str) -> BadAnswerError:
    return BadAnswerError("the stored prices are damaged", where=symbol, remedy="download them")
