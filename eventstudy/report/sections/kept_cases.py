"""Kept cases: events without prices in this study, whose numbers another run has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from ...calendars.window import Window
from ...findings.event_series import Days
from ...findings.kept_case import Case
from ...utility.catalogue import say
from ...utility.numbers import date_iso, day, percent, pvalue, signed, window_text
from ..figures.event_figures import draw_abnormal_returns
from .table import Row, Table, make_table

# Windows that are told in words.
IN_WORDS = {Window(0, 0): "case.day0", Window(0, 1): "case.window", Window(-1, 1): "case.window"}


def case_blocks(case: Case) -> tuple[str | Markup | Table, ...]:
    """Return what is said of a kept case that stands in for an event without prices."""
    origin = say("case.origin", run=case.name, series=case.prices["symbol"])
    tables = (say("case.grey"), _windows(case), _days(case))
    return describe_case(case), origin, draw_case(case), *tables, *_notes(case)


def describe_case(case: Case) -> str:
    """Return what a case shows on day 0 and over two windows."""
    return " ".join(say(code, window=w, **case.over(w)) for w, code in IN_WORDS.items())


def _notes(case: Case) -> Iterator[str]:
    fit, sigma = case.fit, percent(case.fit["sigma"], sign=False)
    facts = {"model": case.model, "benchmark": case.benchmark, "estimation": case.estimation}
    yield say("case.model", **facts, n=int(fit["nobs"]), **{**fit, "sigma": sigma})
    if case.other_index:
        yield say("case.other_index", **case.other_index)
    yield say("case.again", run=case.name)


def _windows(case: Case) -> Table:
    rows = (
        Row((
            window_text((w["start"], w["stop"])), percent(w["car"], unit=False),
            percent(w["se"], sign=False, unit=False), signed(w["statistic"]),
            *(pvalue(w[test]) for test in ("pvalue", "sq", "event_f")),
        ))
        for w in case.windows.to_dict("records")
    )  # fmt: skip
    return make_table("case.windows", "tnnnnNN", rows)


def _days(case: Case) -> Table:
    rows = (
        Row((day(tau), date_iso(date), percent(ar, unit=False), percent(car, unit=False)))
        for tau, date, ar, car in case.days.itertuples(index=False)
    )
    return make_table("case.days", "tdnn", rows)


def draw_case(case: Case) -> Markup:
    """Return the AR of each day and their sum, on the 95% range that sigma alone gives."""
    from scipy.special import stdtrit

    table, fit, n = case.days, case.fit, np.arange(1.0, len(case.days) + 1)
    unknown, error = np.full(len(n), np.nan), stdtrit(fit["df_resid"], 0.975) * fit["sigma"]
    half = error * np.sqrt(n + n**2 / fit["nobs"])
    tau, ar, car = (table[name].to_numpy() for name in ("tau", "ar", "car"))
    dates = table["date"].to_numpy().astype("datetime64[D]")
    days = Days(tau, dates, unknown, unknown, ar, car, np.full(len(n), half[0]), half)
    return draw_abnormal_returns(days, case.main)
