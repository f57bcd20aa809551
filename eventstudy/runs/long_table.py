"""What a run holds of each of very many events: tables in Parquet, written some events at a
time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..fitting.large_samples import MANY
from ..report.content.tables import events_table
from ..utility.optional_parquet import parquet_modules

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
    """Write events, car, models and abnormal_returns of all events, in the columns of the CSV
    tables."""
    pa, pq = parquet_modules()
    folder.mkdir()
    with ExitStack() as open_files:
        writers: dict[str, Any] = {}
        for first in range(0, len(results.events), AT_A_TIME):
            part = results.subset(np.arange(first, min(first + AT_A_TIME, len(results.events))))
            for name, table in _tables(part, config).items():
                own = pa.Table.from_pandas(table, preserve_index=False)
                if name not in writers:
                    writer = pq.ParquetWriter(
                        folder / f"{name}.parquet", own.schema, compression="zstd"
                    )
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(own.cast(writers[name].schema))


def _tables(part: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    found = {
        "events": events_table(part), "car": part.car(config.tested), "models": part.models(),
        "abnormal_returns": part.abnormal_returns(),
    }  # fmt: skip
    return {
        name: table.astype(dict.fromkeys(_text(table), "string")) for name, table in found.items()
    }


def _text(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if table[name].dtype == object]
