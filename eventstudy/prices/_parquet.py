"""A Parquet file of the prices of many tickers, of which those are read that are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ..files import InputFile, as_text, with_index
from ..utility import np, pd
from ._layout import CLOSES, name_columns


class ParquetParts:
    """A long or wide table, read for some tickers at a time.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    symbols : frozenset of str
        All tickers; empty for a table of another layout, which has to be read whole.

    Raises
    ------
    EventStudyError
        If the file cannot be read, or its columns cannot be told apart.
    """

    def __init__(self, path: Path) -> None:
        InputFile(path).require()
        self._path = path
        # The column of tickers of a long table, and the tickers of each of its row groups.
        self._ticker, self._row_groups = "", list[dict[str, list[Any]]]()
        self.symbols = frozenset[str]()
        with InputFile(path).parquet() as (_, pq):
            schema = pq.read_schema(path)
            frame = with_index(schema.empty_table().to_pandas())
            names = name_columns(frame, path.name)
            ticker = str(frame.columns[names.index("symbol")]) if "symbol" in names else ""
            if ticker in schema.names and not schema.field(ticker).type.num_fields:
                self._ticker = ticker
                self._row_groups = list(self._list_row_groups(pq))
                self.symbols = frozenset().union(*self._row_groups)
            elif "date" in names and not CLOSES & set(names):
                self.symbols = frozenset(names) - {"date"}
            if "" in self.symbols or not pq.read_metadata(path).num_rows:
                # Whoever reads it whole says what is wrong.
                self.symbols = frozenset()

    def _list_row_groups(self, pq: Any) -> Iterator[dict[str, list[Any]]]:
        """Yield for each row group its tickers, and how they are written."""
        with pq.ParquetFile(self._path, read_dictionary=[self._ticker]) as file:
            for number in range(file.num_row_groups):
                column = file.read_row_group(number, columns=[self._ticker])[self._ticker]
                cells = pd.Series(column.unique().to_pandas().astype(object))
                written: dict[str, list[Any]] = {}
                for text, cell in zip(as_text(cells.infer_objects()), cells, strict=True):
                    written.setdefault(text, []).append(cell)
                yield written

    def read(self, symbols: Collection[str]) -> pd.DataFrame:
        """Return the rows or columns of some tickers; the index holds row numbers.

        Parameters
        ----------
        symbols : collection of str
            Some of `symbols` of the class.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        with InputFile(self._path).parquet() as (pa, pq):
            if self._ticker:
                return self._read_rows(set(symbols), pa, pq)
            others = self.symbols.difference(symbols)
            names = [name for name in pq.read_schema(self._path).names if name not in others]
            frame = with_index(pd.read_parquet(self._path, columns=names))
        return frame.set_axis(range(1, len(frame) + 1), axis=0)

    def _read_rows(self, symbols: set[str], pa: Any, pq: Any) -> pd.DataFrame:
        import pyarrow.compute as pc

        pieces, rows, first = [], [], 1
        with pq.ParquetFile(self._path) as file:
            schema = file.schema_arrow
            kind = schema.field(self._ticker).type
            for number, written in enumerate(self._row_groups):
                cells = [cell for symbol in symbols & set(written) for cell in written[symbol]]
                wanted = pa.array(cells, getattr(kind, "value_type", kind))
                batches = file.iter_batches(InputFile.PIECE, [number]) if cells else ()
                at = first
                for batch in batches:
                    chosen = np.flatnonzero(pc.is_in(batch[self._ticker], value_set=wanted))
                    pieces.append(batch.take(pa.array(chosen)))
                    rows.append(at + chosen)
                    at += len(batch)
                first += file.metadata.row_group(number).num_rows
            frame = with_index(pa.Table.from_batches(pieces, schema).to_pandas())
        return frame.set_axis(np.concatenate(rows), axis=0)
