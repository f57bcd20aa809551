"""What limits a study: warnings, most serious first; and the notes on data that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...findings.types import Findings
from ...utility.catalogue import Reason
from ...utility.csv_text import BLANK
from ...utility.flags import Flag
from ...utility.numbers import capitalised, listed
from ...utility.units import words

FEW_EVENTS = 10
MANY = 0.1
LISTED_NOTES, LISTED_DIRECTIONS = 5, 4
# Indices of these forms leave dividends out, save those that are known to reinvest them.
_PRICE_INDEX = re.compile(r"\^.+|000\d{3}\.SS|399\d{3}\.SZ|.+\.ME")
_TOTAL_RETURN = {"^GDAXI", "^MDAXI", "^TECDAX", "^SDAXI", "^SP500TR", "^BVSP", "MCFTR.ME"}


def limitations(findings: Findings) -> list[Reason]:
    """Return what limits the study, each with what it does and how to remove it.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    list of Reason
        Sentences with their codes; of a study without a used event the notices on its data.
    """
    warnings = [note for note in findings.notes if note.is_warning]
    serious = [_sentence(note.text) for note in warnings if note.is_serious]
    notices = [_sentence(n.text) for n in warnings if n.is_notice and not n.is_serious]
    if not findings.setup.n_used:
        return [*serious, *notices]
    makers = (
        _open_windows, _small_sample, _directions, _short_estimations, _late, _dropped,
        _price_index, _unknown_times,
    )  # fmt: skip
    limits = [reason for maker in makers for reason in maker(findings)]
    notes = [_sentence(note.text) for note in warnings if not note.is_notice]
    more = len(notes) - LISTED_NOTES
    return [
        *serious, *limits, *notices, *notes[:LISTED_NOTES],
        *([Reason("limit_more_notes", n=more)] if more > 0 else []),
    ]  # fmt: skip


def data_notes(findings: Findings) -> list[str]:
    """Return the notes on data that change no reading of the answer, as sentences."""
    return [_sentence(note.text) for note in findings.notes if not note.is_warning]


def is_price_index(symbol: str) -> bool:
    """Return whether an index is known to leave out dividends."""
    return bool(_PRICE_INDEX.fullmatch(symbol)) and symbol not in _TOTAL_RETURN


def _sentence(text: str) -> Reason:
    return Reason.of(f"{capitalised(text).removesuffix('.')}.")


def _open_windows(findings: Findings) -> Iterator[Reason]:
    if n := findings.pooled.flags.get(Flag.INCOMPLETE_WINDOW, 0):
        facts = {"n": n, "total": findings.setup.n_used, "datum": words().datum}
        yield Reason("limit_open_windows", **facts)


def _small_sample(findings: Findings) -> Iterator[Reason]:
    n, main = findings.sample.answer.n_events, findings.setup.main
    if findings.sample.n_used > 1 and 0 < n < FEW_EVENTS:
        code = "limit_one_event" if n == 1 else "limit_few_events"
        yield Reason(code, n=n, window=[main.start, main.stop])


def _directions(findings: Findings) -> Iterator[Reason]:
    """Yield a warning where the events of the answer have several directions."""
    column, kinds = findings.setup.group_column, list(findings.setup.directions)
    if column:
        group, rows = findings.sample.group, [event.cells for event in findings.used]
        rows = [cells for cells in rows if (cells.get(column) or BLANK) == group]
        kinds = sorted({str(cells.get("direction", "")).strip() for cells in rows} - {""})
    if len(kinds) > LISTED_DIRECTIONS:
        yield Reason("limit_many_directions", n=len(kinds))
    elif len(kinds) > 1:
        yield Reason("limit_directions", directions=kinds)


def _short_estimations(findings: Findings) -> Iterator[Reason]:
    sample, total = findings.pooled, findings.setup.n_used
    n = sample.flags.get(Flag.SHORT_ESTIMATION, 0)
    if n > MANY * total:
        shortest = sample.shortest_estimation
        yield Reason("limit_short_estimations", n=n, total=total, shortest=shortest)


def _late(findings: Findings) -> Iterator[Reason]:
    diagnosis = findings.sample.diagnosis
    if diagnosis and diagnosis.late:
        yield Reason.of(diagnosis.late)


def _dropped(findings: Findings) -> Iterator[Reason]:
    """Yield a warning where many events were dropped; of most it is the caveat of the answer."""
    total, lost = findings.setup.n_events, findings.setup.n_events - findings.setup.n_used
    if lost and lost >= MANY * total:
        reason, n = findings.dropped[0]
        code = "limit_dropped" if lost <= total / 2 else "limit_most_dropped"
        yield Reason(code, lost=lost, total=total, reason=reason.head, n=n)


def _price_index(findings: Findings) -> Iterator[Reason]:
    setup = findings.setup
    indices = [symbol for symbol in setup.benchmarks if is_price_index(symbol)]
    if "market" in setup.model.factors and indices and not words().quantity:
        absorbed = "alpha" in setup.model.parameters
        code = "limit_price_index" if absorbed else "limit_price_index_left"
        yield Reason(code, n=len(indices), indices=listed(indices))


def _unknown_times(findings: Findings) -> Iterator[Reason]:
    n, total = findings.pooled.flags.get(Flag.TIME_UNKNOWN, 0), findings.setup.n_used
    if n:
        yield Reason("limit_no_times" if n == total else "limit_some_times", n=n, total=total)
