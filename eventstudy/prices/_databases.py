"""Prices of a query: DuckDB over files, a database file or partitions, and databases of SQLAlchemy.

No message of a database is shown: it may hold the query, the address or a password.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import ConfigError, DataError, EventStudyError, NetworkError
from ..utility import pd
from ..wire import SECONDS_TO_STOP, LateError, Worker
from ..words import has, make_error, say
from ._asked import AskedProvider, Meaning, fill_variables, lacks_package, module
from ._base import FIRST_DAY, LAST_DAY
from ._layout import name_columns
from ._prices import Names, Prices, Progress

# A stamp with a zone may have its day one day off, and a time of day is behind its day.
MARGIN = timedelta(days=2)
# Symbols in one query: databases bound the number of values.
AT_ONCE = 500
SECONDS_TO_CONNECT = 30
# Seconds until a query is cancelled that does not end.
LONGEST_QUERY = 3600.0
SAFE = {
    "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}  # fmt: skip
_SELECT = re.compile(r"(?is)(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:select|with)\b[^;]*;?\s*")
_NAME = re.compile(r"(?<![:\w\\]):(symbols?|start|end)\b")


class _QueryProvider(AskedProvider):
    """Prices of a query, which ends at a deadline or a signal.

    Attributes
    ----------
    longest : float
        Seconds until the deadline.
    """

    longest = LONGEST_QUERY

    def __init__(self, label: str, meaning: Meaning) -> None:
        super().__init__(label, meaning)
        self._worker = Worker()

    @contextmanager
    def _hiding(self) -> Iterator[None]:
        """Raise our own error in the place of the database's, which may hold query and address."""
        try:
            yield
        except EventStudyError:
            raise
        except LateError:
            facts: dict[str, Any] = {"minutes": self.longest / 60}
            raise make_error(NetworkError, "asked.late", where=self.label, **facts) from None
        except Exception as error:
            name = type(error).__name__
            kind = name.removesuffix("Exception")
            why = say(f"asked.query_why.{kind if has(f'asked.query_why.{kind}') else 'other'}")
            facts = {"name": name, "why": why}
            raise make_error(DataError, "asked.query", where=self.label, **facts) from None


class DuckdbProvider(_QueryProvider):
    """Prices of a SELECT of DuckDB, of which only the rows of the symbols and days are read.

    Parameters
    ----------
    label, meaning
        As for `AskedProvider`.
    query : str
        One SELECT. Its columns are named as those of price files are.
    database : Path, optional
        A file of DuckDB, opened for reading only.
    folder : Path, optional
        Where relative names of files in the query begin.
    name : str, optional
        Of the source.

    Raises
    ------
    ConfigError
        If there is no such database file.
    """

    most = 10**9

    def __init__(
        self, label: str, meaning: Meaning, query: str, *, database: Path | None = None,
        folder: Path | None = None, name: str = "duckdb",
    ) -> None:  # fmt: skip
        super().__init__(label, meaning)
        if database and not database.is_file():
            raise make_error(ConfigError, "asked.no_database", where=label, value=str(database))
        self.name = name
        self._query = query
        self._database = database
        self._folder = folder

    @classmethod
    def of_parquet(
        cls, path: Path, label: str = "", meaning: Meaning | None = None
    ) -> DuckdbProvider:
        """Return the source of a folder of Parquet files, or of one.

        Names of partitions such as ``symbol=000001`` are columns, and text.

        Parameters
        ----------
        path : Path
        label : str
        meaning : Meaning, optional

        Raises
        ------
        ConfigError
            If the folder has no such file.
        """
        is_folder = path.is_dir()
        if not (is_folder and next(path.rglob("*.parquet"), None)) and not path.is_file():
            raise make_error(ConfigError, "asked.no_parquet", where=label, value=str(path))
        place = glob.escape(str(path)) + "/**/*.parquet" * is_folder
        query = (
            f"SELECT * FROM read_parquet({_text(place)}, hive_partitioning=true, "  # noqa: S608
            "hive_types_autocast=false)"
        )
        return cls(label or path.name, meaning or Meaning(), query, name="parquet")

    def ask(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return the rows of the query for some symbols and days."""
        duckdb = module("duckdb", self.label)
        place = str(self._database or ":memory:")
        with self._hiding():
            connection = duckdb.connect(place, read_only=bool(self._database), config=SAFE)
            frame = self._worker.do(
                self.longest,
                lambda: self._rows(connection, symbols, start, end),
                connection.interrupt,
            )
        return frame.set_axis(range(1, len(frame) + 1))

    def _rows(
        self, connection: Any, symbols: Sequence[str], start: date, end: date
    ) -> pd.DataFrame:
        kind = module("duckdb", self.label).StatementType.SELECT
        with connection:
            if self._folder:
                connection.execute(f"SET file_search_path = {_text(str(self._folder))}")
            statements = connection.extract_statements(self._query)
            if [statement.type for statement in statements] != [kind]:
                raise make_error(ConfigError, "asked.one_select", where=self.label)
            query = self._query.strip().rstrip(";")
            described = connection.execute(f"DESCRIBE {query}").fetchall()
            select, values = self._narrowed(query, described, symbols, start, end)
            frame: pd.DataFrame = connection.execute(select, values).df()
        return frame

    def _narrowed(
        self, query: str, described: list[Any], symbols: Sequence[str], start: date, end: date
    ) -> tuple[str, list[Any]]:
        """Return the query for some symbols and days, and the values that are bound to it."""
        theirs = [str(row[0]) for row in described]
        kinds = [str(row[1]) for row in described]
        names = name_columns(pd.DataFrame(columns=self.meaning.named(theirs)), self.path.name)
        conditions: list[str] = []
        values: list[Any] = []
        if "symbol" in names:
            place = names.index("symbol")
            ticker = _quoted(theirs[place])
            if kinds[place] != "VARCHAR":
                ticker = f"CAST({ticker} AS VARCHAR)"
            conditions.append(f"{ticker} IN ({', '.join('?' * len(symbols))})")
            values += symbols
        if "date" in names:
            place = names.index("date")
            day = _quoted(theirs[place])
            bounds: list[Any] = _with_margin(start, end)
            condition = f"{day} IS NULL OR {day} BETWEEN ? AND ?"
            if kinds[place] == "VARCHAR":
                # A text that is no ISO date is for the reader of dates, who says what it is.
                # LIKE is one of the conditions by which DuckDB passes over whole partitions.
                condition += f" OR {day} NOT LIKE '____-__-__%'"
                bounds = list(map(str, bounds))
            if kinds[place] == "VARCHAR" or kinds[place].startswith(("DATE", "TIMESTAMP")):
                conditions.append(f"({condition})")
                values += bounds
        where = " AND ".join(conditions) or "true"
        return f"SELECT * FROM (\n{query}\n) AS asked WHERE {where}", values  # noqa: S608


class SqlProvider(_QueryProvider):
    """Prices of a SELECT of a database that SQLAlchemy knows.

    Parameters
    ----------
    label, meaning
        As for `AskedProvider`.
    url : str
        Of SQLAlchemy; ``{env:NAME}`` is the value of a variable: all of the address, or a part such
        as a password, which is escaped.
    query : str
        One SELECT with ``:symbols`` (as in ``IN :symbols``) or ``:symbol``, and perhaps ``:start``
        and ``:end``; all are bound.
    folder : Path, optional
        Where the relative name of a file of SQLite begins.
    offline : bool
        Whether no other machine may be asked.

    Raises
    ------
    ConfigError
        If the address or the query cannot be one.
    """

    name = "sql"
    is_remote = True

    def __init__(
        self, label: str, meaning: Meaning, url: str, query: str, *, folder: Path | None = None,
        offline: bool = False,
    ) -> None:  # fmt: skip
        if not _SELECT.fullmatch(query):
            raise make_error(ConfigError, "asked.one_select", where=label)
        self._bound = set(_NAME.findall(query))
        if not self._bound & {"symbol", "symbols"}:
            raise make_error(ConfigError, "asked.no_bound", where=label)
        sa = module("sqlalchemy", label)
        is_whole = re.fullmatch(r"\{env:\w+\}", url)
        try:
            address = sa.make_url(fill_variables(url, label, str if is_whole else _escaped))
        except (sa.exc.ArgumentError, ValueError):
            raise make_error(ConfigError, "asked.address", where=label) from None
        if offline and address.host:
            raise make_error(ConfigError, "wrong.needs_network", where=label)
        dialect, database = address.get_backend_name(), address.database or ""
        if dialect == "sqlite":
            file = (folder or Path()) / database
            if not database or not file.is_file():
                raise make_error(ConfigError, "asked.no_database", where=label, value=database)
            # Its driver would keep what a WITH ... DELETE does.
            ways = {"mode": "ro", "uri": "true"}
            address = address.set(database=file.resolve().as_uri(), query=ways)
            database = file.name
        called = f"{dialect} {database}".strip()
        super().__init__(f"{label} ({called})" if label else called, meaning)
        self.most = AT_ONCE if "symbols" in self._bound else 1
        self._address = address
        # SQLAlchemy writes the brackets of a list itself.
        self._query = re.sub(r"(?i)\bin\s*\(\s*:symbols\s*\)", "IN :symbols", query)
        self._connection: Any = None

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the prices from `start` to `end`, both inclusive; the database is only read.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices

        Raises
        ------
        ConfigError
            If the driver of the database is missing.
        DataError
            If the query fails.
        NetworkError
            If the database cannot be reached, or lets nobody in.
        """
        with self._connected() as self._connection:
            return super().fetch(symbols, start, end, progress=progress)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        sa = module("sqlalchemy", self.label)
        options: dict[str, Any] = {"execution_options": {"postgresql_readonly": True}}
        if self._address.get_backend_name() == "postgresql":
            options["connect_args"] = {"connect_timeout": SECONDS_TO_CONNECT}
        try:
            engine = sa.create_engine(
                self._address, poolclass=sa.pool.NullPool, hide_parameters=True, **options
            )
            connection = self._worker.do(self.longest, engine.connect)
        except sa.exc.NoSuchModuleError:
            raise make_error(ConfigError, "asked.address", where=self.label) from None
        except ImportError as error:
            raise lacks_package(error.name or self._address.drivername, self.label) from None
        except Exception as error:
            name = type(error).__name__
            raise make_error(NetworkError, "asked.connect", where=self.label, name=name) from None
        try:
            yield connection
        finally:
            # In the thread that opened it, as SQLite wants; nothing was written.
            with suppress(Exception):
                self._worker.do(SECONDS_TO_STOP, connection.close)

    def ask(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """Return the rows of the query for some symbols and days."""
        sa = module("sqlalchemy", self.label)
        first, last = _with_margin(start, end)
        values = {"symbols": list(symbols), "symbol": symbols[0], "start": first, "end": last}
        bound = [sa.bindparam("symbols", expanding=True)] if "symbols" in self._bound else []
        bound += [sa.bindparam(name, type_=sa.Date) for name in self._bound & {"start", "end"}]
        given = {name: values[name] for name in self._bound}
        connection = self._connection
        driver = connection.connection.driver_connection

        def read() -> tuple[list[tuple[Any, ...]], list[str]]:
            answer = connection.execute(sa.text(self._query).bindparams(*bound), given)
            return [tuple(row) for row in answer], list(answer.keys())

        def stop() -> None:
            for name in ("cancel", "interrupt"):
                if end := getattr(driver, name, None):
                    end()

        with self._hiding():
            rows, names = self._worker.do(self.longest, read, stop)
        return pd.DataFrame(rows, range(1, len(rows) + 1), names)


def _with_margin(start: date, end: date) -> list[date]:
    return [max(start, FIRST_DAY) - MARGIN, min(end, LAST_DAY) + MARGIN]


def _escaped(part: str) -> str:
    return quote(part, safe="")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
