"""Parquet: the long table, one row per event and day, with its types."""

from __future__ import annotations

import io

import pandas as pd

from ...findings.run_files import FinishedRun
from ...utility.tables import parquet_modules


def long_table(run: FinishedRun) -> pd.DataFrame:
    """Return ``tables/abnormal_returns.csv``; with groups, that of each event is in front."""
    table, column = run.tables["abnormal_returns"], run.findings.setup.group_column
    if not column or column in table:
        return table
    groups = {event.cells["event_id"]: event.cells[column] for event in run.findings.used}
    names = table["event_id"].astype(str).map(groups)
    return table.assign(**{column: names})[[column, *table.columns]]


def parquet_bytes(run: FinishedRun) -> bytes:
    """Return the file of the long table.

    Raises
    ------
    ConfigError
        If the extra ``parquet`` is not installed.
    """
    pa, parquet = parquet_modules("abnormal_returns.parquet")
    table = pa.Table.from_pandas(long_table(run), preserve_index=False)
    date = table.schema.get_field_index("date")
    table = table.set_column(date, "date", table["date"].cast(pa.date32()))
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()
