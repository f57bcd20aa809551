"""From prices to returns, as R's estudy2 and EventStudy do it: gaps of two days, and none on day
0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_cases import ENGINES, HERE, close, events, read, table

from eventstudy.calendars import Window
from eventstudy.events import events_from_frame
from eventstudy.returns import ReturnsPanel, load_returns
from eventstudy.studies import EventStudy

PRICES = "j_prices"
FIRMS = [f"F0{i}" for i in range(1, 7)]
KINDS: Any = ["simple", "log"]
WINDOWS: Any = {"estimation": (-260, -11), "event": (-10, 10)}


@pytest.fixture(params=["one file", "a folder"])
def panel(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Load the prices through our own provider of files."""
    folder = HERE / PRICES / "inputs"
    long = pd.concat([read(folder / "firm_prices.csv"), read(folder / "market_prices.csv")])
    if request.param == "one file":
        path = tmp_path / "prices.csv"
        long.pivot(index="date", columns="ticker", values="price").to_csv(path)
    else:
        path = tmp_path
        for ticker, rows in long.groupby("ticker"):
            named = rows.rename(columns={"price": "adj_close"})[["date", "adj_close"]]
            named.to_csv(path / f"{ticker}.csv", index=False)

    def load(kind: Any) -> tuple[ReturnsPanel, Any]:
        table = events(PRICES).assign(announced_at=lambda t: t["date"], benchmark="MKT")
        own = events_from_frame(
            table[["event_id", "ticker", "announced_at", "benchmark"]], calendar="data"
        )
        return load_returns(own, path, benchmark="MKT", calendar="data", kind=kind, **WINDOWS), own

    return load


def theirs_of(kind: str, *, multi_day: str) -> pd.DataFrame:
    return table(PRICES, f"estudy2__{kind}_rates_multi_day_{multi_day}").set_index("date")


@pytest.mark.parametrize("kind", KINDS)
def test_returns(panel: Any, kind: str) -> None:
    """With multi_day=TRUE the first return of estudy2 after a gap spans the gap; so does ours, and
    counts it.

    Without, it and EventStudy lose the returns on both sides: ours where the span is one session.
    """
    loaded, _ = panel(kind)
    days = [str(day) for day in loaded.sessions[1:]]
    whole, cut = (theirs_of(kind, multi_day=word) for word in ("TRUE", "FALSE"))
    assert days == list(whole.loc[days[0] : days[-1]].index)
    symbols = [symbol for symbol, _ in loaded.keys]
    for firm in FIRMS:
        row = symbols.index(firm)
        values, spans = loaded.values[row, 1:], loaded.spans[row, 1:]
        close(values, whole.loc[days, firm])
        close(np.where(spans == 1, values, np.nan), cut.loc[days, firm])
    assert set(loaded.spans[symbols.index("F03"), 1:]) == {0, 1, 3}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
def test_abnormal_returns(panel: Any, kind: str, engine: Any) -> None:
    """The same estimates: what spans a gap is in neither estimation window.

    In the event window EventStudy has nothing where ours has the return over the gap, with its
    span.
    """
    loaded, own = panel(kind)
    ours = (
        EventStudy(own, loaded, model="market", benchmark="MKT", engine=engine, **WINDOWS)
        .fit()
        .abnormal
    )
    estimates = table(PRICES, f"EventStudy__{kind}_model")
    close(ours.params, estimates[["alpha", "beta"]])
    close(np.sqrt(ours.sigma2), estimates["sigma"])
    assert list(ours.df_resid) == list(estimates["df"])
    whole = table(PRICES, f"EventStudy__{kind}_returns")
    theirs = (
        whole[whole["rel_day"] >= -10]
        .pivot(index="event_id", columns="rel_day", values="ar")
        .to_numpy()
    )
    single = ours.spans == 1
    close(ours.ar[single], theirs[single])
    assert np.isnan(theirs[~single]).all()
    assert {(FIRMS[i], int(j) - 10, int(ours.spans[i, j])) for i, j in np.argwhere(ours.spans > 1)} == {
        ("F03", -2, 3), ("F04", -2, 3), ("F05", 1, 2),
    }  # fmt: skip


def test_a_return_over_a_gap_has_the_normal_return_of_the_gap(panel: Any) -> None:
    """F05 has no price on day 0: day 1 has a return over two sessions and expects 2 alpha + beta
    sum(R_m)."""
    loaded, own = panel("simple")
    ours = EventStudy(own, loaded, model="market", benchmark="MKT", **WINDOWS).fit().abnormal
    alpha, beta = table(PRICES, "EventStudy__simple_model").loc[4, ["alpha", "beta"]]
    days = table(PRICES, "EventStudy__simple_returns").query("event_id == 5").set_index("rel_day")
    price = days["firm_price"]
    expected = 2 * alpha + beta * days.loc[[0, 1], "index_return"].sum()
    close(ours.ar[4, 11], price[1] / price[-1] - 1 - expected)
    assert list(ours.valid(Window(0, 0))) == [True] * 4 + [False, True]
    assert list(ours.valid(Window(0, 1))) == [True] * 6
