"""Kept cases: events without prices in this study, whose numbers another run has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from ...analysis import ImpliedPath
from ...calendars import Window
from ...findings import Case
from ...words import say, words
from ..figures.answer_figures import draw_implied
from ..figures.svg_canvas import pair
from ..sentences.answer import short_name
from .columns import EFFECT, NAME, PVALUE, Column, Kind
from .table import Row, Table, make_table

# Windows that are told in words.
IN_WORDS = {Window(0, 0): "case.day0", Window(0, 1): "case.window", Window(-1, 1): "case.window"}


def case_blocks(case: Case) -> tuple[str | Markup | Table, ...]:
    """Return what is said of a kept case that stands in for an event without prices."""
    origin = say("case.origin", run=case.name, series=case.prices["symbol"])
    tables = (say("case.grey"), _windows(case), _days(case))
    return describe_case(case), origin, draw_case(case), *tables, *_notes(case)


def describe_case(case: Case, *windows: Window) -> str:
    """Return what a case shows over some windows, by default on day 0 and over two windows."""
    return " ".join(say(IN_WORDS[w], window=w, **case.over(w)) for w in windows or IN_WORDS)


def _notes(case: Case) -> Iterator[str]:
    fit, sigma = case.fit, words().percent(case.fit["sigma"], sign=False)
    facts = {"model": case.model, "benchmark": case.benchmark, "estimation": case.estimation}
    yield say("case.model", **facts, n=int(fit["nobs"]), **{**fit, "sigma": sigma})
    if case.other_index:
        yield say("case.other_index", **case.other_index)
    yield say("case.again", run=case.name)


def _windows(case: Case) -> Table:
    columns = (
        NAME, EFFECT, Column("se", Kind.ERROR), Column("statistic", Kind.NUMBER), PVALUE,
        Column("sq", Kind.PVALUE, is_wide=True), Column("event_f", Kind.PVALUE, is_wide=True),
    )  # fmt: skip
    rows = []
    for record in case.windows.to_dict("records"):
        name = words().window((record["start"], record["stop"]))
        # t and p are by the variance of these days, and so is the error beside them.
        error = abs(record["car"] / record["statistic"])
        rows.append(Row({**record, "name": name, "effect": record["car"], "se": error}))
    return make_table("case.windows", columns, rows)


def _days(case: Case) -> Table:
    columns = [NAME, Column("date", Kind.DATE)]
    columns += [Column(key, Kind.EFFECT) for key in ("ar", "car")]
    records = case.days.to_dict("records")
    rows = [Row({**record, "name": words().day(record["tau"])}) for record in records]
    return make_table("case.days", columns, rows)


def draw_case(case: Case) -> Markup:
    """Return the CAR since the day before the window, on the 95% range that sigma alone gives."""
    from scipy.special import stdtrit

    fit, base = case.fit, case.main.start - 1
    tau, car = (case.days[name].to_numpy() for name in ("tau", "car"))
    n = np.abs(tau - base)
    error = stdtrit(fit["df_resid"], 0.975) * fit["sigma"]
    half = ImpliedPath.BASE * error * np.sqrt(n + n**2 / fit["nobs"])
    normal = np.full(len(n), ImpliedPath.BASE)
    gap = ImpliedPath.BASE * (car - car[tau == base])
    counts = np.ones(len(n), dtype=np.int64)
    unknown = np.full(len(n), np.nan)
    levels = (normal, normal + gap)
    path = ImpliedPath(tau, base, case.main.stop, *levels, half, np.nan, unknown, counts)
    title = say("case.picture")
    who = short_name(case.event["company"])
    return pair(lambda width: draw_implied(path, width=width, title=title, who=who))
