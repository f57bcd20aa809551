"""What the events of a sample are called."""

from __future__ import annotations

from ...findings.samples import Sample
from ...findings.types import Findings
from ...utility.csv_text import BLANK
from ...utility.numbers import clipped


def subject_of(group: str, column: str) -> str:
    """Return what the events of a group are called: ``adverse announcements``.

    Parameters
    ----------
    group : str
        Value of the column; "" for all events.
    column : str
        Column that splits the events.
    """
    if not group:
        return "announcements"
    if group == BLANK:
        name = clipped(column or "group", 60)
        return f"announcements without {'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
    name = clipped(group, 60)
    if column in ("", "direction"):
        return f"{name} announcements"
    return f"announcements with {clipped(column, 60)} {name}"


def of_number(n: int, subject: str) -> str:
    """Return ``3 adverse announcements`` or ``1 adverse announcement``.

    Parameters
    ----------
    n : int
    subject : str
        Name of the events in the plural.

    Returns
    -------
    str
    """
    return f"{n:,} {subject.replace('announcements', 'announcement', 1) if n == 1 else subject}"


def subject(findings: Findings, sample: Sample | None = None) -> str:
    """Return the name of the events of a sample.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        By default that of the answer.

    Returns
    -------
    str
        Such as ``adverse announcements``.
    """
    sample = sample or findings.sample
    return subject_of(sample.group, findings.setup.group_column)
