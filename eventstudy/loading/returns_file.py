"""Returns that the user holds already, from a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, DataError, how_to_install
from ..returns import DATA_CALENDAR, ReturnsPanel
from ..typing import CalendarChoice, ReturnKind
from .benchmarks import chains_of
from .load import needed_keys
from .market_days import indices_of, sessions_of

if TYPE_CHECKING:
    import pandas as pd

    from ..events.table import Events
    from ..models import LinearModel


def read_returns(
    path: str | Path,
    events: Events,
    *,
    benchmark: str = "",
    model: LinearModel | None = None,
    series: Mapping[str, str] | None = None,
    calendar: CalendarChoice = "exchange",
    kind: ReturnKind = "simple",
) -> ReturnsPanel:
    """Read a file of returns (CSV or Parquet; wide, or long with date, ticker, ret) for the events.

    Raises
    ------
    DataError
        If the file cannot be read as such, or holds none of the symbols.
    """
    frame = read_table(path)
    keys = needed_keys(events, benchmark, model, series, peers=True)
    links = zip(chains_of(events, benchmark), events.table["exchange"], strict=True)
    from ..returns import wide_returns

    wide = wide_returns(frame)
    have = set(wide.columns)
    missing = {s: f"{Path(path).name} has no column or rows for it" for s, _ in keys if s not in have}
    if not any(s in have for s, _ in keys):
        raise DataError(
            "the file has none of the tickers", where=Path(path).name, value=", ".join(list(missing)[:5])
        )
    keys += [(s, code or DATA_CALENDAR) for chain, code in links for s in chain[1:] if s in have]
    index = wide.index.to_numpy().astype("datetime64[D]")
    dates = {s: index[wide[s].notna().to_numpy()] for s, _ in keys if s in have}
    return ReturnsPanel.from_frame(
        wide,
        kind=kind,
        keys=keys,
        sessions=sessions_of(keys, dates, calendar, indices_of(events, benchmark)),
        failures=missing,
        provenance={
            s: {"source": "returns file", "detail": Path(path).name} for s in have & {s for s, _ in keys}
        },
    )


def read_table(path: str | Path, *, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read a CSV or Parquet file into a frame of plain columns; those named in `text` stay text in a CSV."""
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise ConfigError("no such file", value=str(path))
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        own = dict.fromkeys(("ticker", "symbol", *text), str)
        return pd.read_csv(path, sep=None, engine="python", dtype=own, encoding="utf-8-sig")
    except ImportError:
        raise ConfigError(
            "reading Parquet needs pyarrow", where=path.name, remedy=how_to_install("parquet")
        ) from None
    except Exception as error:
        raise DataError(
            "the file cannot be read as a table", where=path.name, remedy=str(error).splitlines()[0]
        ) from None
