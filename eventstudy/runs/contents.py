"""What a run folder holds: tables, inputs, report and figures, and the manifest over them."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..abnormal import AbnormalReturns
from ..analysis import study_tables
from ..files import OUTCOME, parquet_modules, to_csv
from ..fitting import FittedStudy
from ..prices import FrozenProvider
from ..settings import StudyConfig
from ..utility import step
from .origin import Origin
from .plan import Plan, describe_plan
from .record import manifest_of, provenance_of, seal

# A quarter of the time of the highest level, and files of prices 2 % larger.
LEVEL = 4
LONG = "long"
# Events that are written to Parquet at a time, a row group of each file.
AT_A_TIME = 20_000


def fill(
    stage: Path, target: Path, results: FittedStudy, *, config: StudyConfig, origin: Origin | None,
    command: str, facts: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write all files of a run, the manifest last.

    Parameters
    ----------
    stage : Path
        An empty folder.
    target : Path
        The folder whose place it will take, and whose name is that of the run.
    results : FittedStudy
    config : StudyConfig
    origin : Origin or None
    command : str
    facts : mapping, optional
        What the manifest has besides.
    """
    from ..findings import FinishedRun
    from ..report import Export

    (stage / "data").mkdir()
    if origin:
        origin.copy_to(stage)
    step("tables")
    tables = write_tables(stage, results, config)
    if not (origin and config.returns):
        kind, series = freeze_series(results)
        (stage / "data" / f"{kind}.csv.gz").write_bytes(compress(to_csv(series)))
    fetched = results.panel.fetched
    if fetched is not None and fetched.others is not None:
        (stage / FrozenProvider.OTHERS).write_bytes(compress(to_csv(fetched.others)))
    if results.is_large:
        step("all events")
        write_long(results, stage / LONG, config)
    step("findings")
    provenance = provenance_of(results, origin, command)
    if origin and (planned := describe_plan(origin.events, origin.config)):
        provenance["plan"] = planned
        plan = Plan.place(origin.events)
        shutil.copyfile(plan, Plan.place(stage / origin.place))
    facts_of_run: Any = {"name": target.name, "provenance": provenance, "tables": tables}
    run = FinishedRun.of(results, config, **facts_of_run)
    results.memo["findings"] = run.findings
    for kind in Export.HELD:
        step(f"report ({kind})")
        Export(run).write(kind, stage)
    if config.figures and len(results):
        from ..report import write_figures

        step("figures")
        (stage / "figures").mkdir()
        is_plain = config.figures == "plain"
        write_figures(results, stage / "figures", run.findings, is_plain=is_plain)
    manifest = manifest_of(results, run.findings, config, origin, target)
    seal(stage, {**manifest, **(facts or {})}, target)


def write_tables(stage: Path, results: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Write ``events.csv`` and all tables of a run, and return these.

    Parameters
    ----------
    stage : Path
        The folder to write to.
    results : FittedStudy
        Of very many events those listed are written.
    config : StudyConfig

    Returns
    -------
    dict of str to DataFrame
    """
    (stage / "tables").mkdir()
    (stage / "events.csv").write_bytes(to_csv(list_outcomes(results.listed(config.main))))
    tables = study_tables(results, config)
    for table, frame in tables.items():
        (stage / "tables" / f"{table}.csv").write_bytes(to_csv(frame))
    return tables


def freeze_series(results: FittedStudy) -> tuple[str, pd.DataFrame]:
    """Return what a study was computed from: ``prices`` or ``returns``, and the long table."""
    panel = results.panel
    if panel.prices is not None:
        return "prices", panel.prices
    dates = panel.sessions.astype("datetime64[s]")
    rows = [
        pd.DataFrame({"date": dates, "ticker": symbol, "ret": panel.values[i]})
        for i, (symbol, _) in enumerate(panel.keys)
    ]
    table = pd.concat(rows, ignore_index=True).drop_duplicates(["date", "ticker"])
    return "returns", table.dropna()


def compress(data: bytes) -> bytes:
    """Return compressed bytes that are equal for equal data."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", LEVEL, buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def require_parquet_for(n: int) -> None:
    """Refuse so many events before anything is computed if they could not be written as Parquet."""
    if n > AbnormalReturns.MANY:
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
        n = len(results.events)
        # Of equal size: a short rest would be a study of few, whose p is left out again.
        for rows in np.array_split(np.arange(n), -(-n // AT_A_TIME)):
            events = results.subset(rows)
            for name, table in _long_tables(events, config).items():
                rows, path = pa.Table.from_pandas(table, preserve_index=False), f"{name}.parquet"
                if name not in writers:
                    writer = pq.ParquetWriter(folder / path, rows.schema, compression="zstd")
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(rows.cast(writers[name].schema))


def _long_tables(events: FittedStudy, config: StudyConfig) -> dict[str, pd.DataFrame]:
    """Return the tables of some events, whose columns of objects are of text.

    The p that allows for violent times is left out: its variance of each event would cost as much
    as the study. ``tables/car.csv`` has it for the listed events.
    """
    recent = ["variance_multiple", "pvalue_regime", "ci_low_regime", "ci_high_regime"]
    car = events.car_table(config.tested).drop(columns=recent)
    tables = {
        "events": list_outcomes(events), "car": car,
        "models": events.model_table(), "abnormal_returns": events.abnormal_returns(),
    }  # fmt: skip
    for name, table in tables.items():
        objects = [column for column in table if table[column].dtype == object]
        tables[name] = table.astype(dict.fromkeys(objects, "string"))
    return tables


def list_outcomes(study: FittedStudy) -> pd.DataFrame:
    """Return the events as they were given, with day0, status, reason, flags and nobs behind."""
    columns = [c for c in study.events.columns if c not in {*OUTCOME, "exchange"}]
    return study.events[[*columns, *OUTCOME]]
