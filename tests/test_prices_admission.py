"""What a source may not do to the price cache: an answer is admitted, not believed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from test_prices_revisions import HALF, held, table, with_dividend, with_split
from test_prices_sync import FIRST, LAST, Update, ask, asked_from, outcomes, store, whole
from test_prices_sync import HALF as MIDDLE
from yahoo_standin import Series, Yahoo, synthetic

from eventstudy.errors import UnknownSymbolError
from eventstudy.prices import Prices, StoreProvider
from eventstudy.prices.revisions import merge

__all__ = ["ask", "store"]
ROOT = Path(__file__).parents[1]


def of_another_name(series: Series) -> Series:
    """Return the answer of a source that has mixed up two symbols, and says so."""
    return synthetic("OTHER")


def of_another_firm(series: Series) -> Series:
    """Return the same without saying so."""
    return replace(synthetic("OTHER"), symbol=series.symbol)


def in_another_currency(series: Series) -> Series:
    """Return the same rows in pence, as of a London share."""
    return replace(series, home="L")


def short(series: Series) -> Series:
    return replace(series, rows=[row for row in series.rows if row[0] < date(2019, 6, 15)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "kind", "why"),
    [
        (of_another_name, "bad_answer", "of another symbol (OTHER)"),
        (of_another_firm, "held_back", "daily returns differ"),
        (in_another_currency, "held_back", "it is in GBp, the stored prices are in USD"),
        (short, "held_back", "it ends on 2019-06-14, the stored prices on 2019-06-28"),
    ],
)
@pytest.mark.parametrize("refresh", [False, True], ids=["tail", "whole"])
def test_what_cannot_be_of_the_series_changes_nothing(
    refresh: bool,
    change: Callable[[Series], Series],
    kind: str,
    why: str,
    ask: Update,
    store: StoreProvider,
) -> None:
    """And the next good answer is taken, from where the stored prices end."""
    series = synthetic("MINE")
    with Yahoo(series, synthetic("FINE")) as yahoo:
        first = ask(yahoo, ["MINE", "FINE"], FIRST, MIDDLE)
        before = store.held("MINE")
        yahoo.series["MINE"] = change(series)
        found = ask(yahoo, ["MINE", "FINE"], FIRST, LAST, refresh=refresh)
        assert found.symbols == ("FINE",)
        assert (found.failures["MINE"].kind, found.failures["MINE"].is_transient) == (kind, True)
        assert why in str(found.failures["MINE"])
        after = store.held("MINE")
        assert after.coverage == before.coverage
        assert after.provenance == before.provenance == first.provenance["MINE"]
        assert (found.failures["MINE"].remedy.count("prices accept MINE") == 1) == (
            kind == "held_back"
        )
        yahoo.series["MINE"] = series
        healed = ask(yahoo, ["MINE"], FIRST, LAST)
    assert healed.table["close"].tolist() == whole(series)[0]
    assert not store.query("SELECT * FROM vintages WHERE number = 0"), "a good answer ends it"


def test_a_day_that_is_left_out_is_kept(ask: Update, store: StoreProvider) -> None:
    """And its place is taken by a dividend, or a split, like that of the others."""
    series = synthetic("GAPS", dividends={date(2019, 7, 10): 2.0})
    gone = [date(2019, 3, 5), date(2019, 6, 12), date(2019, 6, 13)]
    with Yahoo(synthetic("GAPS")) as yahoo:
        ask(yahoo, ["GAPS"], FIRST, MIDDLE)
        yahoo.series["GAPS"] = replace(series, rows=[r for r in series.rows if r[0] not in gone])
        found = ask(yahoo, ["GAPS"], FIRST, LAST)
    assert "GAPS: 3 stored days left out (2019-03-05 to 2019-06-13)" in found.notices[0]
    assert outcomes(store, "GAPS") == ["new", "rebase"]
    assert found.table["close"].tolist() == whole(series)[0]
    np.testing.assert_allclose(found.table["adj_close"], whole(series)[1], rtol=1e-12)


def test_blank_closes_do_not_take_the_place_of_prices(ask: Update) -> None:
    series = synthetic("BLANKS")
    with Yahoo(synthetic("BLANKS")) as yahoo:
        ask(yahoo, ["BLANKS"], FIRST, MIDDLE)
        at = next(k for k, row in enumerate(series.rows) if row[0] == date(2019, 6, 13))
        blank = list(series.rows)
        blank[at] = (blank[at][0], None, None, None, None, None)  # type: ignore[assignment]
        yahoo.series["BLANKS"] = replace(series, rows=blank)
        found = ask(yahoo, ["BLANKS"], FIRST, LAST)
    assert found.table["close"].tolist() == whole(series)[0]


def test_a_day_without_a_price_is_asked_again(ask: Update) -> None:
    """A new day that is missing once comes with the next answer."""
    series, missing = synthetic("LATER"), date(2019, 6, 27)
    with Yahoo(replace(series, rows=[r for r in series.rows if r[0] != missing])) as yahoo:
        ask(yahoo, ["LATER"], FIRST, date(2019, 6, 26))
        ask(yahoo, ["LATER"], FIRST, MIDDLE)
        yahoo.series["LATER"] = series
        found = ask(yahoo, ["LATER"], FIRST, date(2019, 7, 1))
        assert asked_from(yahoo, "LATER")[-1] == FIRST
    assert found.table["close"].tolist() == whole(series, date(2019, 7, 1))[0]


def test_what_was_left_out_of_an_earlier_range_is_not_asked_for_ever(
    ask: Update, store: StoreProvider
) -> None:
    """A short answer about earlier days does not make them count as asked."""
    series, early = synthetic("HEAD"), date(2018, 6, 1)
    with Yahoo(series) as yahoo:
        ask(yahoo, ["HEAD"], FIRST, MIDDLE)
        late = [row for row in series.rows if row[0] >= date(2019, 1, 20)]
        yahoo.series["HEAD"] = replace(series, rows=late)
        ask(yahoo, ["HEAD"], early, MIDDLE)
        yahoo.series["HEAD"] = series
        found = ask(yahoo, ["HEAD"], early, MIDDLE)
    assert found.table["date"].iloc[0] == pd.Timestamp(early)


@pytest.mark.slow
def test_the_user_accepts_what_was_held_back(
    ask: Update, store: StoreProvider, tmp_path: Path
) -> None:
    """By the command that the error names, without a network; the others become a vintage."""
    series = synthetic("MINE")
    with Yahoo(series) as yahoo:
        first = ask(yahoo, ["MINE"], FIRST, MIDDLE)
        new = of_another_firm(series)
        yahoo.series["MINE"] = new
        error = ask(yahoo, ["MINE"], FIRST, LAST).failures["MINE"]
    assert error.remedy.endswith("eventstudy prices accept MINE")
    assert StoreProvider(store.path, vintage="2030-01-01").fetch(["MINE"], FIRST, MIDDLE).symbols
    command = [sys.executable, "-m", "eventstudy", "prices", "accept", "MINE"]
    for code in (0, 1):
        done = subprocess.run(
            [*command, "--store", str(store.path)], cwd=ROOT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
    assert "no prices are held back" in done.stderr
    assert store.fetch(["MINE"], FIRST, LAST).table["close"].tolist() == whole(new)[0]
    assert outcomes(store, "MINE") == ["new", "held_back", "accepted"]
    pinned = StoreProvider(store.path, vintage="2024-03-02").fetch(["MINE"], FIRST, MIDDLE)
    pd.testing.assert_frame_equal(pinned.table, first.table)
    with pytest.raises(UnknownSymbolError):
        store.accept("FINE")


TRUE = {
    "dividend": lambda rows: with_dividend(rows, "2019-07-10"),
    "split": lambda rows: with_split(rows, "2019-07-15", volume=False),
    "a split that came late": lambda rows: with_split(rows, "2019-06-20", volume=False),
    "both, rounded": lambda rows: with_dividend(with_split(rows, "2019-07-15"), "2019-08-01").round(
        {"close": 2, "adj_close": 2}
    ),
    "three days": lambda rows: rows.assign(
        close=rows["close"].where(~rows.index.isin([3, 50, 51]), rows["close"] * 100)
    ),
}


@pytest.mark.parametrize("change", TRUE.values(), ids=TRUE.keys())
def test_true_revisions_are_admitted(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    merged = merge(held(table(HALF)), held(change(table()), "2024-04-01"))
    assert merged.outcome in ("rebase", "revision")
    assert len(merged.held.rows) == len(table())


def test_a_day_between_two_bases_is_not_guessed() -> None:
    """The dividend may have been before it or after it."""
    paid = with_dividend(table(), str(table()["date"][60].date())).drop(index=60)
    assert merge(held(table(HALF)), held(paid, "2024-04-01")).outcome == "held_back"
    paid = with_dividend(table(), str(table()["date"][60].date())).drop(index=59)
    assert merge(held(table(HALF)), held(paid, "2024-04-01")).outcome == "held_back"
    paid = with_dividend(table(), str(table()["date"][60].date())).drop(index=58)
    assert merge(held(table(HALF)), held(paid, "2024-04-01")).outcome == "rebase"


@pytest.mark.skipif(not SHARED.is_dir(), reason="recorded prices are not here")
def test_recorded_downloads_of_one_series_are_admitted_and_of_two_are_not() -> None:
    from eventstudy.prices.files import FilesProvider

    folder = SHARED / "market-data"

    def read(file: str, symbol: str, last: date) -> pd.DataFrame:
        found: Prices = FilesProvider(folder / file).fetch([symbol], date(2016, 1, 1), last)
        return found.table

    last = date(2018, 12, 28)
    names = ("000063.SZ", "000300.SS", "NVDA", "AMD")
    rows = {name: read(f"prices/{name}.csv", name, last) for name in names}
    again = read("prices-as-recorded/000063.SZ.csv", "000063.SZ", last)
    for old, new in ((rows["000063.SZ"], again), (again, rows["000063.SZ"])):
        assert merge(held(old), held(new, "2024-04-01")).outcome != "held_back"
    assert merge(held(rows["NVDA"]), held(rows["AMD"], "2024-04-01")).outcome == "held_back"
