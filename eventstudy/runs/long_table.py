"""Tables of very many events in Parquet, written a block of events at a time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..findings.tables import events_table
from ..fitting.fitted import MANY
from ..utility.tables import parquet_modules

if TYPE_CHECKING:
    import pandas as pd

    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy

LONG = "long"
# Events that are written at a time, a row group of each file.
AT_A_TIME = 20_000


def require_parquet_for(n: int) -> None:
    """Refuse so many events before anything is computed if they could not be written as Parquet."""
    if n > MANY:
        parquet_modules(f"{LONG}/ of a run of {n:,} events")


def write_long(results: FittedStudy, folder: Path, config: StudyConfig) -> None:
    """Write events, car, models and abnormal_returns of all events to Parquet files.

    Parameters
    ----------
    results : FittedStudy
    folder : Path
        Is created.
    config : StudyConfig
        With the windows that are tested.
    """
    pa, pq = parquet_modules()
    folder.mkdir()
    with ExitStack() as open_files:
        writers: dict[str, Any] = {}
        for first in range(0, len(results.events), AT_A_TIME):
            events = results.subset(np.arange(first, min(first + AT_A_TIME, len(results.events))))
            for name, table in _tables(events, config).items():
                rows, path = pa.Table.from_pandas(table, preserve_index=False), f"{name}.parquet"
                if name not in writers:
                    writer = pq.ParquetWriter(folder / path, rows.schema, compression="zstd")
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(rows.cast(writers[name].schema))


def _tables(events: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    tables = {
        "events": events_table(events), "car": events.car(config.tested), "models": events.models(),
        "abnormal_returns": events.abnormal_returns(),
    }  # fmt: skip
    return {name: _as_text_columns(table) for name, table in tables.items()}


def _as_text_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns of objects are of text."""
    return table.astype({name: "string" for name in table.columns if table[name].dtype == object})
