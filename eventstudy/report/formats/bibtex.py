"""BibTeX of the program, and of the methods of a study."""

from __future__ import annotations

from collections.abc import Iterable

from ...findings.types import Findings
from ...significance import STATISTICS
from ...utility.catalogue import say
from ...utility.units import speaking_of
from ...utility.version import __version__
from ..sections.methods import find_references, methods, read_bibliography


def write_bibtex(findings: Findings | None = None, tests: Iterable[str] = ()) -> str:
    """Return how to cite the program as BibTeX, and all methods of a study that are given.

    Parameters
    ----------
    findings : Findings, optional
    tests : iterable of str
        Further tests, such as those of a table.
    """
    record = findings.provenance.get("versions") or {} if findings else {}
    entries = [say("cite.program", version=record.get("eventstudy", __version__))]
    if findings:
        with speaking_of(findings.setup.measure):
            done = methods(findings).references
        keys = {*done, *find_references(STATISTICS[name].source for name in tests)}
        entries += [entry.bibtex for entry in read_bibliography().values() if entry in keys]
    return "\n\n".join(entries) + "\n"
