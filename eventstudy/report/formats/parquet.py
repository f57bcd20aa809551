"""Parquet: the long table, one row per event and day, with its types."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ...utility.optional_parquet import parquet_modules
from ..content.finished_run import Finished


def long_table(run: Finished) -> pd.DataFrame:
    """Return ``tables/abnormal_returns.csv`` with the group of each event, if there are groups, in
    front."""
    table, column = run.tables["abnormal_returns"], run.document["group_column"]
    if not column or column in table:
        return table
    used = run.events[run.events["status"] == "ok"]
    days = len(table) // max(1, len(used))
    return table.assign(**{column: used[column].repeat(days).to_numpy()})[[column, *table.columns]]


def write_parquet(run: Finished, path: Path) -> None:
    """Write the long table.

    Raises
    ------
    ConfigError
        If the extra ``parquet`` is not installed.
    """
    pa, parquet = parquet_modules(path.name)
    table = pa.Table.from_pandas(long_table(run), preserve_index=False)
    date = table.schema.get_field_index("date")
    table = table.set_column(date, "date", table["date"].cast(pa.date32()))
    parquet.write_table(table, path, compression="zstd")
