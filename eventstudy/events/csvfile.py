"""The rows of a CSV file whatever its separator, and what is wrong where it cannot be read."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import EventStudyError, Problem
from ..utility.csv_text import OUTCOME, unquoted
from ..utility.registry import did_you_mean
from .cells import WHOLE_ROW, Sheet, laid_out
from .decimals import with_points

_SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet (.xlsx)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (.xls)",
    b"\x1f\x8b": "compressed (.gz)",
    b"\xff\xfe": "encoded as UTF-16",
    b"\xfe\xff": "encoded as UTF-16",
}
_SAVE_AS = "save it as 'CSV UTF-8'"
_ZERO_WIDTH = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    EventStudyError
        There is no such file, it is a folder, or it cannot be read.
    """
    where = str(path)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        remedy = did_you_mean(Path(path).name, _names_beside(Path(path)))
        raise EventStudyError("there is no such file", where=where, remedy=remedy) from None
    except IsADirectoryError:
        raise EventStudyError("is a folder, not a file", where=where) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise EventStudyError(f"cannot be read ({why})", where=where) from None


def _names_beside(path: Path) -> list[str]:
    try:
        return [p.name for p in path.parent.iterdir() if p.is_file()]
    except OSError:
        return []


def sheet_of_csv(raw: bytes, required: Sequence[str]) -> tuple[Sheet | None, list[Problem]]:
    """Return the rows that are not empty, and what cannot be read."""
    for signature, what in _SIGNATURES.items():
        if raw.startswith(signature):
            return None, [Problem(1, WHOLE_ROW, f"the file is {what}", remedy=_SAVE_AS)]
    if raw.count(0) > len(raw) / 4:
        return None, [
            Problem(1, WHOLE_ROW, "the file is encoded as UTF-16, or not text", remedy=_SAVE_AS)
        ]
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", raw[: error.start])) + 1
        byte = f"0x{raw[error.start]:02x}"
        return None, [
            Problem(line, WHOLE_ROW, "the file is not UTF-8: unreadable byte", byte, _SAVE_AS)
        ]
    problems: list[Problem] = []
    delimiter = _delimiter(_lines(raw), required)
    sheet = laid_out(_rows(_lines(raw), delimiter, problems))
    if sheet and delimiter != ",":
        sheet = _with_points(sheet)
    if sheet and set(OUTCOME) <= set(sheet.names):
        sheet = _of_a_run(sheet)
    if sheet is None and not problems:
        *head, last = required
        remedy = f"the first line names the columns, among them {', '.join(head)} and {last}"
        problems.append(Problem(1, WHOLE_ROW, "the file is empty", remedy=remedy))
    return sheet, problems


def _with_points(sheet: Sheet) -> Sheet:
    read = [
        with_points(strip(name), own) for name, own in zip(sheet.names, sheet.columns, strict=True)
    ]
    return replace(
        sheet, columns=[own for own, _ in read], notices=[text for _, said in read for text in said]
    )


def _of_a_run(sheet: Sheet) -> Sheet:
    """Return the sheet of the ``events.csv`` of a run with the cells from which that was
    written."""
    columns = [column.changed(unquoted) for column in sheet.columns]
    return replace(sheet, names=[unquoted(name) for name in sheet.names], columns=columns)


def _rows(
    lines: Iterable[str], delimiter: str, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with its first line; add what cannot be read to
    `problems`."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(_broken_row(line, str(error)))
        else:
            if any(map(strip, cells)):
                yield line, cells


def _broken_row(line: int, error: str) -> Problem:
    if "field limit" in error:
        what = f"a cell is longer than {csv.field_size_limit():,} characters"
        return Problem(line, WHOLE_ROW, what, remedy="is a quote missing at the end of a cell?")
    if "end of data" in error:
        what = "a quote that opens in this row is never closed"
        return Problem(line, WHOLE_ROW, what, remedy="the rows after it are lost in the cell")
    what = "the quotes of this row do not pair up"
    return Problem(line, WHOLE_ROW, what, remedy="a quote inside a quoted cell is written twice")


def _lines(raw: bytes) -> Iterable[str]:
    return io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline="")


def _delimiter(lines: Iterable[str], required: Sequence[str]) -> str:
    """Return the separator that makes the header readable, or else the one that cuts it into most
    cells."""
    header = next((line for line in lines if line.strip()), "")
    cuts = {
        mark: [strip(name).strip('"').lower() for name in header.split(mark)] for mark in ",;\t|"
    }
    return max(cuts, key=lambda mark: (len(set(required) & set(cuts[mark])), len(cuts[mark])))


def strip(cell: str) -> str:
    """Return a cell without the white space around it, the invisible kinds included."""
    return cell.strip().strip(_ZERO_WIDTH).strip()
