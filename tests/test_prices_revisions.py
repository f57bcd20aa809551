"""What a source changes afterwards: told apart, said, kept, and never spliced."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from eventstudy.errors import ConfigError
from eventstudy.prices import Action, Prices, Provenance, StoreProvider, clean, moment, resolve
from eventstudy.prices._base import stamp
from eventstudy.prices._database import Held
from eventstudy.prices._prices import Answer
from eventstudy.prices.revisions import Change, compare, merge

DAYS = pd.bdate_range("2019-01-02", "2019-12-31")
FIRST, LAST = date(2019, 1, 1), date(2019, 12, 31)


def table(upto: str = "2019-12-31", begin: str = "2019-01-01") -> pd.DataFrame:
    """Return a year of prices with the digits of float32, as Yahoo's have."""
    rng = np.random.default_rng(3)
    close = (
        (100 * np.exp(np.cumsum(rng.normal(0, 0.02, len(DAYS))))).astype("float32").astype(float)
    )
    volume = rng.integers(10**5, 10**7, len(DAYS)).astype(float)
    whole = pd.DataFrame(
        {"date": DAYS, "close": close, "adj_close": close * 0.97, "volume": volume}
    )
    return whole[(whole["date"] <= upto) & (whole["date"] >= begin)].reset_index(drop=True)


def fetched(rows: pd.DataFrame, on: str = "2024-03-01", actions: tuple[Action, ...] = ()) -> Prices:
    cleaned, _ = clean(rows, "X.SZ")
    given = Provenance("yahoo", retrieved_at=f"{on}T10:00:00+00:00", library="yfinance 1.7.0")
    return Prices.of({"X.SZ": Answer(cleaned, stamp(given, cleaned), actions)}, {})


def held(rows: pd.DataFrame, on: str = "2024-03-01", actions: tuple[Action, ...] = ()) -> Held:
    now = pd.Timestamp("2024-06-01", tz="UTC").to_pydatetime()
    return Held.all_of(fetched(rows, on, actions), None, now)[0]


def with_dividend(rows: pd.DataFrame, before: str, factor: float = 0.98) -> pd.DataFrame:
    early = rows["date"] < before
    return rows.assign(adj_close=rows["adj_close"].where(~early, rows["adj_close"] * factor))


def with_split(
    rows: pd.DataFrame, before: str, ratio: float = 4.0, *, volume: bool = True
) -> pd.DataFrame:
    early = rows["date"] < before
    parts = {name: rows[name].where(~early, rows[name] / ratio) for name in ("close", "adj_close")}
    if volume:
        parts["volume"] = rows["volume"].where(~early, (rows["volume"] * ratio).round())
    return rows.assign(**parts)


def outcome(old: pd.DataFrame, new: pd.DataFrame, *actions: Action) -> str:
    return compare(held(old), held(new, "2024-04-01", actions)).outcome


HALF = "2019-06-28"
SPLIT = Action("2019-07-15", "split", 4.0)


def test_nothing_changed() -> None:
    assert outcome(table(HALF), table()) == "same"
    wobble = np.random.default_rng(1).uniform(-1e-6, 1e-6, len(table()))
    shaken = table().assign(
        close=table()["close"] * (1 + wobble), adj_close=table()["adj_close"] * (1 - wobble)
    )
    assert outcome(table(HALF), shaken) == "same"


@pytest.mark.parametrize("ex", ["2019-07-10", "2019-03-06"], ids=["after the last row", "inside"])
def test_a_dividend_is_expected(ex: str) -> None:
    assert outcome(table(HALF), with_dividend(table(), ex)) == "rebase"
    assert outcome(table(HALF), with_dividend(table(), ex, 1.02)) == "revision", (
        "no dividend raises prices"
    )


def test_a_split_is_expected_with_its_volume_or_its_action() -> None:
    assert outcome(table(HALF), with_split(table(), "2019-07-15")) == "rebase"
    assert outcome(table(HALF), with_split(table(), "2019-07-15", 1.5)) == "rebase"
    assert outcome(table(HALF), with_split(table(), "2019-07-15", 0.1)) == "rebase"
    quiet = with_split(table(), "2019-07-15", volume=False)
    assert outcome(table(HALF), quiet) == "revision", "closes alone: another unit, perhaps"
    assert outcome(table(HALF), quiet, SPLIT) == "rebase"
    assert outcome(table(HALF), quiet, replace(SPLIT, value=3.0)) == "revision"
    assert outcome(table(HALF), with_split(table(), "2019-07-15", np.pi)) == "revision", (
        "no ratio of a split"
    )
    both = with_dividend(with_split(table(), "2019-07-15"), "2019-08-01")
    assert outcome(table(HALF), both) == "rebase"


def test_anything_else_is_a_revision_with_its_extent() -> None:
    new = table()
    new.loc[[40, 45], "close"] *= [100.0, 0.5]
    change = compare(held(table(HALF)), held(new))
    extent = f"{DAYS[40]:%Y-%m-%d} to {DAYS[45]:%Y-%m-%d}, by up to 9900.00%"
    assert change == Change("revision", f"2 closes changed ({extent})")
    missing = compare(held(table(HALF)), held(new.drop(index=[40, 45])))
    assert (missing.outcome, missing.words.split(" (")[0]) == ("revision", "2 days vanished")
    more = compare(held(table(HALF).drop(index=[40])), held(table()))
    assert (more.outcome, more.words) == ("revision", f"1 day appeared ({DAYS[40]:%Y-%m-%d})")


def test_one_price_amid_a_rebase_is_still_a_revision() -> None:
    new = with_dividend(table(), "2019-07-10")
    new.loc[50, "adj_close"] *= 1.0001
    assert outcome(table(HALF), new) == "revision"


@pytest.mark.slow
@given(factor=st.floats(0.2, 0.999), scale=st.floats(0.01, 1e4), position=st.integers(1, 120))
def test_kinds_do_not_depend_on_the_unit(factor: float, scale: float, position: int) -> None:
    def unit(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(close=rows["close"] * scale, adj_close=rows["adj_close"] * scale)

    new = with_dividend(table(), f"{DAYS[position]:%Y-%m-%d}", factor)
    assert outcome(unit(table(HALF)), unit(new)) == "rebase"


def test_only_what_agrees_is_appended() -> None:
    old, tail = held(table(HALF)), held(table(begin="2019-06-03"), "2024-04-01")
    merged = merge(old, tail)
    assert (merged.outcome, merged.replaces, merged.notice) == ("append", False, "")
    pd.testing.assert_frame_equal(merged.held.rows, held(table()).rows)
    assert merged.held.coverage == ("2019-01-02", "2019-12-31")
    other = merge(old, held(with_dividend(table(begin="2019-06-03"), "2019-07-10"), "2024-04-01"))
    assert other.outcome == "rebase"
    assert other.held.rows["date"].iloc[0] == pd.Timestamp("2019-06-03"), (
        "never two adjustments in one series"
    )
    head = merge(held(table(begin="2019-06-03")), held(table(HALF), "2024-04-01"))
    pd.testing.assert_frame_equal(head.held.rows, held(table()).rows)


def test_prices_without_a_day_in_common_are_not_put_together() -> None:
    merged = merge(held(table("2019-03-29")), held(table(begin="2019-06-03"), "2024-04-01"))
    assert (merged.outcome, len(merged.held.rows)) == ("held_back", len(table("2019-03-29")))


def test_an_answer_that_comes_late_changes_nothing() -> None:
    new, old = held(with_dividend(table(), "2019-07-10"), "2024-04-01"), held(table(HALF))
    merged = merge(new, old)
    assert (merged.outcome, merged.changed, merged.held) == ("older", False, new)


def test_an_open_end_that_gets_its_price_is_no_revision() -> None:
    hole = table(HALF)
    hole.loc[len(hole) - 1, ["close", "adj_close"]] = np.nan
    merged = merge(held(hole), held(table(begin="2019-06-03"), "2024-04-01"))
    assert (merged.outcome, merged.replaces) == ("append", True)
    pd.testing.assert_frame_equal(merged.held.rows, held(table()).rows)


@pytest.fixture
def store(tmp_path: Path) -> StoreProvider:
    """Return a store with four vintages: of March, appended in April, re-based in May, revised in
    June."""
    store, revised = StoreProvider(tmp_path), with_dividend(table(), "2019-07-10")
    assert not store.add(fetched(table(HALF), "2024-03-01")).notices
    assert not store.add(fetched(table(begin="2019-06-03"), "2024-04-01")).notices
    dividend = Action("2019-07-10", "dividend", 2.0)
    assert not store.add(fetched(revised, "2024-05-01", (dividend,))).notices
    revised.loc[40, "close"] *= 100
    (notice,) = store.add(fetched(revised, "2024-06-01", (dividend,))).notices
    assert notice.startswith(
        f"X.SZ: revised by the source since 2024-05-01: 1 close changed ({DAYS[40]:%Y-%m-%d}"
    )
    assert "9900.00%" in notice
    return store


def test_every_vintage_can_be_had_as_it_was(store: StoreProvider) -> None:
    wanted = {
        "2024-03-01": fetched(table(HALF)),
        "2024-04-15": fetched(table()),
        "2024-05-01T10:00:00Z": fetched(with_dividend(table(), "2019-07-10")),
    }
    for when, prices in wanted.items():
        found = StoreProvider(store.path, vintage=when).fetch(["X.SZ"], FIRST, LAST)
        pd.testing.assert_frame_equal(found.table, prices.table, check_exact=True)
        assert found.provenance["X.SZ"].sha256 == prices.provenance["X.SZ"].sha256
        assert resolve("auto", store=store.path, vintage=when).fetch(
            ["X.SZ"], FIRST, LAST
        ).provenance == (found.provenance)
    newest = StoreProvider(store.path, vintage="2024-07-01").fetch(["X.SZ"], FIRST, LAST)
    assert "revised by the source since 2024-05-01" in newest.provenance["X.SZ"].note
    assert newest.actions == {"X.SZ": (Action("2019-07-10", "dividend", 2.0),)}
    error = (
        StoreProvider(store.path, vintage="2024-02-29")
        .fetch(["X.SZ"], FIRST, LAST)
        .failures["X.SZ"]
    )
    assert "no vintage of 2024-02-29" in str(error)
    assert "2024-03-01T10:00:00+00:00" in error.remedy


def test_a_vintage_answers_for_a_part_and_says_so(store: StoreProvider) -> None:
    found = StoreProvider(store.path, vintage="2024-03-01").fetch(["X.SZ", "Z"], FIRST, LAST)
    assert found.failures["Z"].kind == "unknown_symbol"
    assert found.notices == (
        (
            "the price cache has only part of 2019-01-01 to 2019-12-31 for 1 symbol (X.SZ 2019-01-02 to "
            "2019-06-28)"
        ),
    )


def test_what_happened_is_recorded(store: StoreProvider) -> None:
    told = store.history("X.SZ")
    assert [fetch["outcome"] for fetch in told["fetches"]] == [
        "new",
        "append",
        "rebase",
        "revision",
    ]
    assert all(
        len(fetch["sha256"]) == 64 and fetch["library"] == "yfinance 1.7.0"
        for fetch in told["fetches"]
    )
    assert [(each["number"], each["rows"]) for each in told["vintages"]] == [
        (1, 128),
        (2, 260),
        (3, 260),
    ]
    # the first is a part of the second, of which only one copy is kept
    assert store.query("SELECT number, blob IS NULL FROM vintages ORDER BY number") == [
        (1, 1),
        (2, 0),
        (3, 0),
    ]


@pytest.mark.parametrize("bad", ["yesterday", "2024-13-01", ""])
def test_a_vintage_is_a_date(bad: str) -> None:
    with pytest.raises(ConfigError, match="not a date or time"):
        StoreProvider(vintage=bad)
    assert moment("2024-03-01") == "2024-03-01T23:59:59+00:00"
    assert moment("2024-03-01T10:00+02:00") == "2024-03-01T08:00:00+00:00"
    with pytest.raises(ConfigError, match="only the price cache has vintages"):
        resolve("yahoo", vintage="2024-03-01")


@pytest.mark.skipif(not SHARED.is_dir(), reason="recorded prices are not here")
def test_recorded_series_of_two_downloads() -> None:
    """Two recorded downloads of one index: what the longer lost and changed is a revision."""
    from eventstudy.prices.files import FilesProvider

    folder = SHARED / "market-data"
    parts = [
        FilesProvider(folder / name / "000063.SZ.csv") for name in ("prices", "prices-as-recorded")
    ]
    rows = [each.fetch(["000063.SZ"], date(2016, 1, 1), date(2023, 12, 31)).table for each in parts]
    assert outcome(rows[0], rows[0]) == "same"
    assert outcome(rows[0], rows[1]) == "revision"
