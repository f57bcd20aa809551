"""Notes on the data: which of them may change the reading of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..utility.catalogue import Reason
from .types import Note

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy

# Notes on what is done as a matter of course, and on what makes all numbers wrong.
ROUTINE = frozenset({"no_trade", "closed_days", "limits_from_returns"})
SERIOUS = frozenset({"like_percent"})


def notes_of(study: FittedStudy) -> tuple[Note, ...]:
    """Return the notices and notes of the panel, notices first.

    What is done as a matter of course, and what is of a series that no used event needs, changes no
    reading of the answer.
    """
    panel, used = study.panel, study.events.loc[study.ok, ["ticker", "benchmark"]]
    needed = {
        symbol.strip() for cell in used.astype(str).to_numpy().ravel() for symbol in cell.split(";")
    }

    def note(text: str, *, notice: bool) -> Note:
        """Return a note with its weight.

        Parameters
        ----------
        text : str
            Note of the panel.
        notice : bool
            Whether it is one of the notices, which may be serious.

        Returns
        -------
        Note
        """
        reason = Reason.of(text)
        symbol = reason.facts.get("symbol", "")
        unused = symbol in panel.provenance and symbol not in needed
        about_data = len(study) > 0 and (reason.code in ROUTINE or unused)
        serious = notice and reason.code in SERIOUS
        return Note(reason, is_notice=notice, is_warning=not about_data, is_serious=serious)

    notices = [note(text, notice=True) for text in panel.notices]
    return (*notices, *(note(text, notice=False) for text in panel.notes))
