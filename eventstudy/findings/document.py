"""Findings as ``results.json`` and back: one strict reading of the types, and their JSON Schema."""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date
from functools import cache, partial
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from ..calendars import Window
from ..errors import EventStudyError, RunFolderError
from ..models import MODELS
from ..significance import STATISTICS
from ..utility import Day, TestName, json_number
from ..words import Reason
from .types import SCHEMA, Findings

R = TypeVar("R")
MISSING_OR_INFINITE = {None: math.nan, "inf": math.inf, "-inf": -math.inf}
PLAIN = {str: "string", int: "integer", bool: "boolean"}
# Kinds of the columns of a table, by the letter of numpy.
KINDS = {"f": "number", "i": "integer", "u": "integer", "b": "boolean", "M": "date"}
DTYPES = {"number": "float64", "integer": "int64", "boolean": "bool", "date": "datetime64[s]"}


class DocumentError(RunFolderError):
    """A document that is not one of the findings of a study."""

    def __init__(self, what: str, *, where: str, value: object = None) -> None:
        remedy = "restore the file as eventstudy wrote it, or run the study again"
        super().__init__(what, where=where, value=value, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Document(Generic[R]):
    """A JSON document that is one record, and may have further members.

    Attributes
    ----------
    kind : type
        A dataclass with a field ``schema``.
    form : str
        What that field says.
    file : str
        Its usual name.
    more : mapping of str to dict
        Schemas of members that a file has besides the fields; the reader passes over them.
    """

    kind: type[R]
    form: str
    file: str
    more: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def read(self, text: str, where: str) -> R:
        """Return the record of a document.

        Parameters
        ----------
        text : str
        where : str
            Name of the file, for errors.

        Raises
        ------
        RunFolderError
            If it is no such document.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DocumentError("not a JSON document", where=where, value=str(error)) from None
        name = document.get("schema") if isinstance(document, dict) else None
        if name != self.form:
            problem = f"not a document of the form {self.form}"
            raise DocumentError(problem, where=f"{where}.schema", value=name)
        record: R = decoded(self.kind, document, where)
        return record

    @staticmethod
    def decode(kind: Any, value: Any, where: str) -> Any:
        """Return a value of JSON as the type of its field.

        Parameters
        ----------
        kind : type
        value : object
        where : str
            Its place in the document, for errors.

        Raises
        ------
        RunFolderError
            If it is of another type.
        """
        return decoded(kind, value, where)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema, made from the types and their docstrings."""
        values = {"type": {"enum": ["text", *DTYPES]}, "values": {"type": "array"}}
        column = {"type": "object", "required": ["type", "values"], "properties": values}
        records: dict[str, Any] = {"Column": column} if self.kind is Findings else {}
        _schema_of(self.kind, records)
        top = records.pop(self.kind.__name__)
        top["properties"] |= {"schema": {"const": self.form}, **self.more}
        top["required"] = sorted({*top["required"], *self.more})
        name = self.form.replace("eventstudy-", "").replace("/", ":")
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:eventstudy-kit:{name}",
            "title": f"{self.file} of an eventstudy run ({self.form})",
            **top,
            "$defs": dict(sorted(records.items())),
        }


_ANSWER = {
    "type": "object",
    "required": ["verdict", "test", "pvalue", "estimate", "ci_low", "ci_high"],
}
_ANSWERS = {"type": "object", "required": ["pooled"], "additionalProperties": _ANSWER}
RESULTS = Document(Findings, SCHEMA, "results.json", {"answer": _ANSWERS})


def to_json(findings: Any, **more: Any) -> str:
    """Return the text of ``results.json``: one line for each sample, event and table.

    Parameters
    ----------
    findings : Findings
        Or another record of the same kinds of fields.
    **more
        Further members of the document, which the reader passes over.
    """
    members = {**_encoded(findings), **{name: _encoded(value) for name, value in more.items()}}
    lines = (f"{_text(name)}: {_lines(value)}" for name, value in members.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(value: Any) -> str:
    """Return a member; a list of objects, and an object of objects, with a line for each."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(map(_text, value)) + "\n]"
    if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        return "{\n" + ",\n".join(f"{_text(k)}: {_text(v)}" for k, v in value.items()) + "\n}"
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _encoded(value: Any) -> Any:
    """Return a JSON value: NaN and NaT become null, dates ISO text, reasons code and facts."""
    match value:
        case float():
            return json_number(value)
        case Reason():
            return {"code": value.code, **_encoded(value.facts)} if value else None
        case str() | int() | None:
            return value
        case np.datetime64():
            return None if np.isnat(value) else str(value.astype("datetime64[D]"))
        case np.generic():
            return _encoded(value.item())
        case np.ndarray() if value.dtype.kind in "fiub" and np.isfinite(value).all():
            return value.tolist()
        case np.ndarray():
            return list(map(_encoded, value.tolist() if value.dtype.kind == "f" else value))
        case Window():
            return [value.start, value.stop]
        case pd.DataFrame():
            return {str(name): _column(value[name]) for name in value.columns}
        case Mapping():
            return {str(k): _encoded(v) for k, v in value.items()}
        case list() | tuple():
            return list(map(_encoded, value))
    kind: Any = type(value)
    return {name: _encoded(getattr(value, name)) for name in _hints(kind)}


def _column(values: pd.Series[Any]) -> dict[str, Any]:
    """Return a column of a table: its kind, and its cells."""
    kind = KINDS.get(values.dtype.kind, "text")
    if kind == "text":
        return {"type": kind, "values": ["" if v is None or v != v else str(v) for v in values]}
    return {"type": kind, "values": _encoded(values.to_numpy())}


def read_json(text: str, where: str = "results.json") -> Findings:
    """Return the findings of a document.

    Parameters
    ----------
    text : str
        Content of a ``results.json``.
    where : str
        Name of the file, for errors.

    Raises
    ------
    RunFolderError
        If it is no such document, or a part of it is missing, or is of another type.
    """
    findings = RESULTS.read(text, where)
    _refuse_contradictions(findings, where)
    return findings


def _refuse_contradictions(findings: Findings, where: str) -> None:
    """Refuse members that are of their types, but not of one study."""
    column = findings.setup.group_column
    for i, event in enumerate(findings.events):
        is_column = not column or column in event.cells
        _require(is_column, "a column of the events", column, f"{where}.setup.group_column")
        fits = bool(event.page) == (event.detail is not None)
        _require(fits, "the page of an event with details", event.page, f"{where}.events[{i}].page")
    groups = {sample.group for sample in findings.samples}
    for name, table in findings.tables.items():
        if name.endswith("_by_group") and column in table:
            for group in set(table[column]) - groups:
                place = f"{where}.tables.{name}.{column}.values"
                _require(False, "a group of the study", group, place)
    place = f"{where}.provenance.prices"
    entries = decoded(Mapping[str, Mapping[str, Any]], findings.provenance.get("prices", {}), place)
    for symbol, entry in entries.items():
        for name in ("first", "last"):
            decoded(Day, entry.get(name, ""), f"{place}.{symbol}.{name}")


def decoded(kind: Any, value: Any, where: str) -> Any:
    """Return a value of JSON as the type of its field.

    Parameters
    ----------
    kind : type
    value : object
    where : str
        Its place in the document, for errors.

    Raises
    ------
    DocumentError
        If it is of another type.
    """
    if reader := READERS.get(kind):
        return _read_by(reader, kind, value, where)
    origin, inner = _parts(kind)
    if origin is Literal:
        _require(value in inner, f"one of {', '.join(inner)}", value, where)
        return value
    if origin is Annotated:
        _refuse_unlike(inner[1], value, where)
        return decoded(inner[0], value, where)
    if kind is Any:
        return value
    if types.NoneType in inner:
        return None if value is None else decoded(inner[0], value, where)  # X | None
    if origin is np.ndarray:
        return _read_by(partial(_array, inner[1]), list, value, where)
    if origin is tuple:
        return _tuple(inner, value, where)
    if origin is not None and issubclass(origin, Mapping):
        _require(isinstance(value, dict), kind, value, where)
        return {k: decoded(inner[1], v, f"{where}.{k}") for k, v in value.items()}
    if is_dataclass(kind):
        return _record(kind, value, where)
    _require(type(value) is kind, kind, value, where)
    return value


def _read_by(reader: Callable[[Any, str], Any], kind: Any, value: Any, where: str) -> Any:
    """Return what a reader makes of a value; what it cannot read is of another type."""
    try:
        return reader(value, where)
    except DocumentError:
        raise
    except (EventStudyError, LookupError, TypeError, ValueError, OverflowError):
        _require(False, kind, value, where)


def _refuse_unlike(mark: Any, value: Any, where: str) -> None:
    """Refuse a text that is not what it is marked to be, and members of a mapping that are no
    choices of a record."""
    if isinstance(mark, str):
        fits = isinstance(value, str) and (not value or MARKS[mark](value))
        _require(fits, MARKED.get(mark, mark), value, where)
        return
    for name, hint in _hints(mark).items():
        if get_origin(hint) is Literal and isinstance(value, dict) and value.get(name):
            decoded(hint, value[name], f"{where}.{name}")


def _is_day(text: str) -> bool:
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False


def _is_window(text: str) -> bool:
    return bool(re.fullmatch(r"\[-?\d{1,5},-?\d{1,5}\]", text))


# What a marked text is, unless it is blank, and how that is said.
MARKS: dict[str, Callable[[str], bool]] = {
    "day": _is_day, "test": STATISTICS.__contains__, "model": MODELS.__contains__,
    "window": _is_window,
}  # fmt: skip
MARKED = {"day": "date", "test": "a known test", "model": "a known model"}
# Columns of text, by table and name, whose cells are more than text.
TEXTS: dict[str, Any] = {
    "faults.date": Day, "faults.last": Day, "specifications.model": Annotated[str, "model"],
    "specifications.estimation": Annotated[str, "window"],
    "specifications.window": Annotated[str, "window"], "specifications.test": TestName,
    "families.family": Literal["days", "events", "windows"],
    "announcement_time.dating": Literal["as_dated", "other_session"],
}  # fmt: skip


@cache
def _parts(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the origin and the arguments of a type; numpy 2.5 has `NDArray` as an alias."""
    origin = get_origin(kind)
    inner = get_args(kind)
    return _parts(origin.__value__[inner]) if hasattr(origin, "__value__") else (origin, inner)


def _record(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, dict), kind, value, where)
    hints = _hints(kind)
    lacking = _needed(kind) - value.keys()
    more = value.keys() - hints.keys()
    # What later versions add to a record that is open is passed over.
    if odd := sorted(lacking | (set() if _is_open(kind) else more)):
        lack = "is missing" if odd[0] in hints else "is not part of it"
        raise DocumentError(f"{odd[0]} {lack}", where=where)
    members = {k: v for k, v in value.items() if k in hints}
    return kind(**{k: decoded(hints[k], v, f"{where}.{k}") for k, v in members.items()})


def _is_open(kind: Any) -> bool:
    return getattr(kind, "is_open", False)


@cache
def _needed(kind: Any) -> frozenset[str]:
    defaults = ((f.name, f.default, f.default_factory) for f in fields(kind))
    return frozenset(name for name, *pair in defaults if pair == [MISSING, MISSING])


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of the fields of a record that its maker takes."""
    hints = get_type_hints(kind, include_extras=True)
    return {f.name: hints[f.name] for f in fields(kind) if f.init}


def _tuple(inner: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _require(isinstance(value, list), tuple, value, where)
    kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
    _require(len(value) == len(kinds), tuple, value, where)
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(decoded(k, v, f"{where}[{i}]") for i, (k, v) in pairs)


def _reason(value: Any, where: str) -> Reason:
    if value is None:
        return Reason.of("")
    _require(isinstance(value, dict) and isinstance(value.get("code"), str), Reason, value, where)
    facts = dict(value)
    return Reason(facts.pop("code"), **facts)


def _window(value: Any, where: str) -> Window:
    return Window(*decoded(tuple[int, int], value, where))


def _float(value: Any, where: str) -> float:
    if type(value) is float:
        return value
    if value is None or (isinstance(value, str) and value in MISSING_OR_INFINITE):
        return MISSING_OR_INFINITE[value]
    _require(isinstance(value, (int, float)) and not isinstance(value, bool), float, value, where)
    return float(value)


# Types of the cells of a column that are no numbers.
CELLS = {"text": str, "integer": int, "boolean": bool, "date": Day | None}


def _array(dtype: Any, value: Any, where: str) -> np.ndarray[Any, Any]:
    _require(isinstance(value, list), list, value, where)
    scalar = get_args(dtype)[0]
    if issubclass(scalar, np.floating):
        return np.array([_float(cell, where) for cell in value], dtype=float)
    if issubclass(scalar, np.datetime64):
        return np.array([cell or "NaT" for cell in value], dtype="datetime64[D]")
    return np.array(value, dtype=np.int64)


def _table(value: Any, where: str) -> pd.DataFrame:
    _require(isinstance(value, dict), pd.DataFrame, value, where)
    return pd.DataFrame({name: _series(cells, f"{where}.{name}") for name, cells in value.items()})


def _series(column: Any, where: str) -> pd.Series[Any]:
    _require(isinstance(column, dict) and column.keys() == {"type", "values"}, dict, column, where)
    kind = column["type"]
    values = column["values"]
    _require(isinstance(values, list), list, values, f"{where}.values")
    if kind == "number":
        return pd.Series([_float(v, where) for v in values], dtype="float64")
    cell: Any = CELLS.get(kind)
    _require(cell is not None, f"one of {', '.join(['number', *CELLS])}", kind, f"{where}.type")
    if kind == "text":
        cell = TEXTS.get(".".join(where.split(".")[-2:]).replace("_by_group", ""), str)
    for value in values:
        decoded(cell, value, f"{where}.values")
    if kind == "text":
        return pd.Series(values, dtype=object)
    return pd.Series(pd.to_datetime(values) if kind == "date" else values, dtype=DTYPES[kind])


def _require(fits: bool, kind: Any, value: Any, where: str) -> None:
    if not fits:
        name = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
        words = {"tuple": "list", "Mapping": "object", "str": "text", "float": "number"}
        problem = f"not {name}" if " " in name else f"not of the type {words.get(name, name)}"
        raise DocumentError(problem, where=where, value=repr(value)[:60])


READERS = {float: _float, Reason: _reason, Window: _window, pd.DataFrame: _table}


NUMBER: dict[str, Any] = {"anyOf": [{"type": ["number", "null"]}, {"enum": ["inf", "-inf"]}]}
CODE = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}
# Schemas of the kinds that have no parts.
SCHEMAS: dict[Any, dict[str, Any]] = {
    Any: {}, float: NUMBER, **{kind: {"type": name} for kind, name in PLAIN.items()},
    Reason: {"anyOf": [CODE, {"type": "null"}]},
    Window: {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    pd.DataFrame: {"type": "object", "additionalProperties": {"$ref": "#/$defs/Column"}},
}  # fmt: skip


def _schema_of(kind: Any, records: dict[str, Any]) -> dict[str, Any]:
    origin, inner = _parts(kind)
    if kind in SCHEMAS:
        return SCHEMAS[kind]
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is Annotated:
        pattern = {"pattern": r"^(\d{4}-\d{2}-\d{2})?$"} if inner[1] == "day" else {}
        return {**_schema_of(inner[0], records), **pattern}
    if types.NoneType in inner:
        return {"anyOf": [_schema_of(inner[0], records), {"type": "null"}]}
    if origin is np.ndarray:
        dates = issubclass(get_args(inner[1])[0], np.datetime64)
        return {"type": "array", "items": {"type": ["string", "null"]} if dates else NUMBER}
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return {"type": "array", "items": _schema_of(inner[0], records)}
        return {"type": "array", "prefixItems": [_schema_of(k, records) for k in inner]}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema_of(inner[1], records)}
    return _record_schema(kind, records)


def _record_schema(kind: Any, records: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in records:
        hints = _hints(kind)
        records[kind.__name__] = {
            "description": (kind.__doc__ or "").split("\n\n")[0].strip(),
            "type": "object",
            "required": sorted(_needed(kind)) if _is_open(kind) else list(hints),
            "properties": {name: _schema_of(hint, records) for name, hint in hints.items()},
            "additionalProperties": _is_open(kind),
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
