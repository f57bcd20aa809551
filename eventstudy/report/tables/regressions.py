"""Regressions of CARs in words: what explains the effect, and one table for all formats."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...analysis import CarRegression, Interval
from ...calendars import Window
from ...words import LEVEL, capitalised, clipped, say, uncapitalised, words
from ..sentences.answer import write_interval
from .table import stars

# Other characteristics that the headline names, and letters of each.
MOST_NAMED, LONGEST = 3, 60
# So many slopes are not "all two".
BOTH = 2
# More than this share of the announcements left out is said first.
MANY_MISSING = 0.2
# The direction of announcements is said before them, not behind.
DIRECTION = "direction: "


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One cell: a coefficient for the step of its row.

    Attributes
    ----------
    effect : Interval
        By the errors that decide.
    pvalue : float
    compared_effect : Interval
        By the errors that are compared with them.
    compared_pvalue : float
    why : str
        Why those have no p; "" otherwise.
    """

    effect: Interval
    pvalue: float
    compared_effect: Interval
    compared_pvalue: float
    why: str

    @property
    def is_clear(self) -> bool:
        """Whether p is below 5%."""
        return self.pvalue < LEVEL

    @property
    def stars(self) -> str:
        """The stars of the errors that decide."""
        return stars(self.pvalue)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """Estimate, interval, p, and the compared p or why there is none."""
        estimate = words().percent(self.effect.estimate)
        ends = words().span(self.effect.ci_low, self.effect.ci_high)
        return estimate, ends, words().pvalue(self.pvalue), self.compared

    @property
    def compared(self) -> str:
        """The p of the errors that are compared, or why there is none."""
        return self.why or words().pvalue(self.compared_pvalue)


@dataclass(frozen=True, slots=True)
class TermRow:
    """One row: what it is called, a remark, and a cell or None for each regression."""

    label: str
    remark: str
    cells: tuple[Coefficient | None, ...]
    is_constant: bool = False

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """The texts of the first regression; blank where it has no such term."""
        return self.cells[0].texts if self.cells[0] else ("", "", "", "")


@dataclass(frozen=True, slots=True)
class RegressionTable:
    """One or more regressions side by side.

    Attributes
    ----------
    headline, caveat, evidence : str
        What the last of them says; the one sentence to say with it; its numbers.
    title : str
    heads : tuple of str
        Of the regressions; (1), (2) for those that have no name.
    compared : str
        Head of the p of other errors.
    rows : tuple of TermRow
    counts : tuple of str
        Announcements and dates of each regression.
    r2 : tuple of float
    joint : tuple of str
        The p of all slopes of each regression together.
    together : str
        What `joint` is called; "" where no regression has several slopes.
    notes : tuple of str
    window : Window
        Of the CARs.
    is_published : bool
        Whether the compared errors take events as independent that are not.
    n_dates : int
        Of the last regression.
    """

    headline: str
    caveat: str
    evidence: str
    title: str
    heads: tuple[str, ...]
    compared: str
    rows: tuple[TermRow, ...]
    counts: tuple[str, ...]
    r2: tuple[float, ...]
    joint: tuple[str, ...]
    together: str
    notes: tuple[str, ...]
    window: Window
    is_published: bool
    n_dates: int

    @property
    def noun(self) -> str:
        """What the events are called."""
        return noun_of(self.n_dates)

    @property
    def foot(self) -> list[tuple[str, str, tuple[str, ...], int]]:
        """The lines below the rows: label, remark, a text of each regression, and its column."""
        counted = say("regression.counted", noun=self.noun.capitalize())
        shares = tuple(map(words().share, self.r2))
        lines = [(counted, "", self.counts, 0), (say("regression.explained"), "R²", shares, 0)]
        return [*lines, (self.together, "", self.joint, 2)] if self.together else lines

    @property
    def columns(self) -> list[str]:
        """Heads of the numbers of one regression."""
        first = say("regression.column.difference")
        return [first, say("regression.column.interval"), say("column.pvalue"), self.compared]

    @property
    def starred(self) -> bool:
        """Whether a cell has stars."""
        return any(cell and cell.stars for row in self.rows for cell in row.cells)


def tabulate(
    tables: Mapping[str, pd.DataFrame], notes: Sequence[Sequence[str]], window: Window, when: str
) -> RegressionTable:
    """Return regressions as one table.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By their heads, each as :meth:`CarRegression.with_facts` returns it.
    notes : sequence of sequences of str
        Of each regression.
    window : Window
        Of the CARs.
    when : str
        The window in words.

    Returns
    -------
    RegressionTable
    """
    last = list(tables.values())[-1]
    facts = last.iloc[0]
    labels = dict[str, tuple[str, str]]()
    cells = dict[str, list[Coefficient | None]]()
    for k, table in enumerate(tables.values()):
        for row in table.to_dict("records"):
            term = row["term"]
            label = _label(row, table)
            labels[term] = label, _remark(row, label)
            cells.setdefault(term, [None] * len(tables))[k] = _coefficient(row)
    order = sorted(cells, key=lambda term: term == CarRegression.CONSTANT)
    firsts = [table.iloc[0] for table in tables.values()]
    numbers = {n for table in tables.values() if (n := len(_slopes(table))) > 1}
    named = [*tables] if len(tables) > 1 else [""]
    published = any(bool(first["is_published"]) for first in firsts)
    errors = " / ".join(dict.fromkeys(str(first["compared"]) for first in firsts))
    code = "published" if published else "compared"
    return RegressionTable(
        headline=_headline(last), caveat=_caveat(last, window), evidence=_evidence(last),
        title=say("regression.title", when=when), heads=tuple(named),
        compared=say(f"regression.{code}", errors=errors),
        rows=tuple(
            TermRow(*labels[term], tuple(cells[term]), term == CarRegression.CONSTANT)
            for term in order
        ),
        counts=tuple(f"{first['n_events']:,} · {first['n_dates']:,}" for first in firsts),
        r2=tuple(float(first["r2"]) for first in firsts),
        joint=tuple(_joint(first["joint_pvalue"]) for first in firsts),
        together=_name_joint(numbers),
        notes=tuple(_join_notes(named, notes)), window=window, is_published=published,
        n_dates=int(facts["n_dates"]),
    )  # fmt: skip


def _name_joint(numbers: Collection[int]) -> str:
    """Return what the p of all slopes is called, by their numbers in each regression; "" if none.

    A regression with one slope has no such p, and is not among the numbers.
    """
    if not numbers:
        return ""
    if len(numbers) > 1:
        return say("regression.together_each")
    number = max(numbers)
    return say("regression.together_both" if number == BOTH else "regression.together", n=number)


def noun_of(n_dates: int) -> str:
    """Return what the events are called: of one date they are shares."""
    return "share" if n_dates == 1 else "announcement"


def _slopes(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["term"] != CarRegression.CONSTANT]


def _coefficient(row: Mapping[Any, Any]) -> Coefficient:
    step = row["step"]
    names = ("estimate", "se", "ci_low", "ci_high")
    second_names = ("estimate", "compared_se", "compared_low", "compared_high")
    both = (names, second_names)
    effect, compared = (Interval(*(step * row[name] for name in each)) for each in both)
    why = str(row["compared_reason"] or "") if not np.isfinite(row["compared_pvalue"]) else ""
    why = why if row["smallest"] < CarRegression.SMALLEST_CLASS else ""
    return Coefficient(effect, row["pvalue"], compared, row["compared_pvalue"], why)


def _label(row: Mapping[Any, Any], table: pd.DataFrame) -> str:
    """Return what a row is called; a constant by the class that it is of, if it is of one."""
    if row["term"] != CarRegression.CONSTANT or row["label"]:
        return _heading(row["label"])
    slopes = _slopes(table)
    bases = set(slopes["base"])
    if len(bases) == 1 and "" not in bases:
        return _heading(bases.pop())
    if (slopes["kind"] == "class").any() and bases == {""}:
        return say("regression.others", noun=noun_of(int(row["n_dates"])))
    return say("regression.constant").capitalize()


def _heading(label: str) -> str:
    text = clipped(label, LONGEST)
    return text[:1].upper() + text[1:]


def _remark(row: Mapping[Any, Any], label: str) -> str:
    """Return the size of a class, the step of a number, or that it is the constant."""
    if row["term"] == CarRegression.CONSTANT:
        name = say("regression.constant")
        return "" if label == name.capitalize() else name
    noun = noun_of(int(row["n_dates"]))
    in_class = say("regression.in_class", n=row["count"], total=row["n_events"], noun=noun)
    if row["kind"] == "class":
        level = row["base"].rpartition(": ")[2]
        base = say("regression.against", base=level) if level else ""
        return f"{in_class}{base}"
    is_partial = row["smallest"] < row["n_events"]
    return f"{row['per']}, {in_class}" if is_partial else str(row["per"])


def _joint(p: float) -> str:
    return words().pvalue(p) if np.isfinite(p) else ""


def _join_notes(heads: Sequence[str], notes: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the notes: those that all regressions share once, others behind the head of theirs."""
    every = dict.fromkeys(note for each in notes for note in each)
    for note in every:
        having = [head for head, each in zip(heads, notes, strict=True) if note in each]
        ended = note if note.endswith(".") else f"{note}."
        yield ended if len(having) == len(heads) else f"{words().listed(having)}: {ended}"


def _leading(table: pd.DataFrame) -> Mapping[Any, Any] | None:
    """Return the largest significant slope; None without any."""
    slopes = _slopes(table)
    clear = slopes[slopes["pvalue"] < LEVEL]
    if clear.empty:
        return None
    sizes = (clear["estimate"] * clear["step"]).abs()
    return dict(clear.iloc[int(sizes.argmax())])


def _headline(table: pd.DataFrame) -> str:
    row = _leading(table)
    if _slopes(table).empty:
        return say("regression.average", value=table["estimate"].iloc[0])
    if row is None:
        return say("regression.nothing")
    effect = row["estimate"] * row["step"]
    noun = noun_of(int(row["n_dates"]))
    side = "worse" if effect < 0 else "better"
    facts = {"size": effect, "same": _held_equal(table, row), "noun": noun}
    if row["kind"] == "class":
        everyone_else = say("regression.others_low", noun=noun)
        base = _name_class(row["base"], noun) if row["base"] else everyone_else
        who = capitalised(_name_class(row["label"], noun))
        return say(f"regression.class_{side}", who=who, base=base, **facts)
    step = str(row["per"]).removeprefix("per ")
    who = say("regression.any", noun=noun)
    name = uncapitalised(row["label"])
    return say(f"regression.number_{side}", who=who, step=step, name=name, **facts)


def _name_class(label: str, noun: str) -> str:
    """Return the events of a class: ``chip maker shares``, ``shares with sector oil``."""
    if label.startswith(DIRECTION):
        return f"{label.removeprefix(DIRECTION)} {noun}s"
    if ": " in label:
        return say("regression.with", noun=noun, label=label.replace(": ", " ", 1))
    return f"{uncapitalised(label)} {noun}s"


def _held_equal(table: pd.DataFrame, row: Mapping[Any, Any]) -> str:
    """Return the other characteristics in a regression; "" without any."""
    slopes = _slopes(table)
    mine = str(row["label"]).partition(": ")[0]
    heads = [str(label).partition(": ")[0] for label in slopes["label"]]
    equal = [uncapitalised(head) for head in dict.fromkeys(heads) if head != mine]
    if not equal:
        return ""
    if len(equal) > MOST_NAMED:
        return say("regression.same_many", n=len(equal))
    return say("regression.same", names=equal)


def _caveat(table: pd.DataFrame, window: Window) -> str:
    """Return the one sentence to say with the headline."""
    first = table.iloc[0]
    row = _leading(table)
    n = int(first["n_events"])
    missing = int(first["n_left_out"])
    dates = int(first["n_dates"])
    if missing > MANY_MISSING * (n + missing):
        return say("regression.missing", n=n, total=n + missing, missing=missing)
    facts = {"n": n, "dates": dates, "days": _days(len(window))}
    noun = noun_of(dates)
    facts["who"] = say("regression.alike", noun=noun)
    if row is not None and row["kind"] == "class":
        facts["who"] = _name_class(row["label"], noun)
    if dates == 1:
        return say("regression.caveat_one_date", **facts)
    code = "few" if first["errors"] == CarRegression.BY_PORTFOLIO else "many"
    return say(f"regression.caveat_{code}_dates", **facts)


def _days(n: int) -> str:
    return say("regression.one_day") if n == 1 else say("regression.days", n=words().word(n))


def _evidence(table: pd.DataFrame) -> str:
    """Return how often the difference of the headline would show by chance, with its interval."""
    row = _leading(table)
    if row is None:
        slopes = _slopes(table).dropna(subset=["pvalue"])
        if slopes.empty:
            return ""
        nearest: Mapping[Any, Any] = dict(slopes.iloc[int(slopes["pvalue"].argmin())])
        effect = _coefficient(nearest).effect
        facts = {"far": max(effect.ci_low, effect.ci_high, key=abs), "p": nearest["pvalue"]}
        return say("regression.evidence_none", label=_label(nearest, table), **facts)
    kind = "dates" if row["n_dates"] == 1 else "studies"
    effect = _coefficient(row).effect
    p = row["pvalue"]
    out_of = 100 if p >= 0.0095 else 1000 if p >= 0.0005 else 0
    code = "regression.share" if out_of else "regression.hardly_any"
    share = say(code, n=round(out_of * p), whole=out_of, kind=kind)
    interval = write_interval(effect, sizes=True)
    return say("regression.evidence", share=capitalised(share), interval=interval, p=p)
