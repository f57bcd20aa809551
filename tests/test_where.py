"""Where-expressions mean the events that plain Python would choose row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstudy.errors import ConfigError
from eventstudy.events import rows_where

ROWS = pd.DataFrame({
    "ticker": ["A", "B", "A", "C"],
    "direction": ["adverse", "relief", "", "adverse"],
    "mcap": ["5", "", "x7", "-2.5"],
    "nobs": [200, 100, 50, 0],
    "day0": pd.to_datetime(["2021-01-01", "2021-06-01", "2020-01-01", None]),
    "status": ["ok", "ok", "ok", "dropped"],
    "flags": ["confounded;time_unknown", "time_unknown", "", "multi_day_return"],
})  # fmt: skip


class Blank(float):
    """A number that is missing: no comparison with it holds."""

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


NUMBERS = st.integers(-3, 3) | st.floats(-3, 3, allow_nan=False).map(lambda x: round(x, 2))
TEXTS = st.sampled_from(["", "a", "b", "it's", 'say "x"', "é\\n", "#"])


def comparisons() -> st.SearchStrategy[str]:
    sign = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    number = st.builds("{} {} {!r}".format, st.sampled_from(["x", "y"]), sign, NUMBERS)
    chain = st.builds("{!r} {} x {} y".format, NUMBERS, sign, sign)
    text = st.builds("{} {} {!r}".format, st.sampled_from(["s", "t"]), sign, TEXTS)
    columns = st.builds("s {} t".format, sign)
    inside = st.builds(
        "{} {} {!r}".format, st.just("s"), st.sampled_from(["in", "not in"]), st.lists(TEXTS)
    )
    return st.one_of(number, chain, text, columns, inside)


EXPRESSIONS = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)
CELLS = st.fixed_dictionaries({
    "x": NUMBERS | st.none(), "y": NUMBERS | st.none(), "s": TEXTS, "t": TEXTS,
})  # fmt: skip


@pytest.mark.slow
@settings(max_examples=300)
@given(EXPRESSIONS.filter(lambda text: len(text) <= 500), st.lists(CELLS, min_size=1, max_size=5))
def test_rows_are_those_of_python(text: str, rows: list[dict[str, Any]]) -> None:
    table = pd.DataFrame(rows)
    as_text = table.assign(**{c: [str(v) if v is not None else "" for v in table[c]] for c in "s"})
    numbers = {c: np.array([np.nan if r[c] is None else r[c] for r in rows], float) for c in "xy"}
    blank = Blank("nan")
    python = [{k: blank if v is None else v for k, v in row.items()} for row in rows]
    expected = [eval(text, {"__builtins__": {}}, row) for row in python]
    assert rows_where(as_text.assign(**numbers), text).tolist() == expected


@pytest.mark.parametrize(("text", "rows"), [
    ("", [0, 1, 2, 3]),
    ("direction == 'adverse'", [0, 3]),
    ("without flagged", [1, 2]),
    ("not flagged", [1, 2]),
    ("halted", [3]),
    ("repeated", [0]),
    ("confounded or ticker == 'B'", [0, 1]),
    ("mcap > 3", [0]),
    ("mcap != 5", [3]),
    ("not mcap == 5", [1, 2, 3]),
    ("mcap in (5, -2.5)", [0, 3]),
    ("mcap not in (5, 6)", [3]),
    ("mcap == '5'", [0]),
    ("'2021-01-01' <= day0 < '2021-06-01'", [0]),
    ("day0 == ''", [3]),
    ("50 <= nobs < 200 and direction != 'relief'", [2]),
])  # fmt: skip
def test_what_each_form_means(text: str, rows: list[int]) -> None:
    assert np.flatnonzero(rows_where(ROWS, text)).tolist() == rows


@pytest.mark.parametrize(("text", "value"), [
    ("direktion == 'adverse'", "direktion"),
    ("direction", "direction"),
    ("flaged", "flaged"),
    ("direction = 'adverse'", "direction = 'adverse'"),
    ("direction ==", "direction =="),
    ("__import__('os').getcwd() == 'x'", "__import__('os').getcwd()"),
    ("ticker.str.len == 3", "ticker.str.len"),
    ("ticker[0] == 'A'", "ticker[0]"),
    ("(lambda: 1)() == 1", "(lambda: 1)()"),
    ("nobs ** 99999999 > 1", "nobs ** 99999999"),
    ("nobs == True", "True"),
    ("ticker is None", "None"),
    ("nobs == (1, 2)", "nobs == (1, 2)"),
    ("'A' in ticker", "'A' in ticker"),
    ("ticker in [ticker]", "[ticker]"),
    ("nobs", "nobs"),
    ("1", "1"),
    ("ticker == b'A'", "b'A'"),
    ("a\x00", "a\x00"),
])  # fmt: skip
def test_all_else_is_refused(text: str, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        rows_where(ROWS, text)
    assert raised.value.value == value
    assert raised.value.remedy
    assert "\n" not in str(raised.value)


def test_an_unknown_column_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'direction'\? they have ticker, direction, mcap"):
        rows_where(ROWS, "directoin == 'adverse'")


def test_long_and_deep_texts_end_at_once() -> None:
    for text in ("x" * 600, "not " * 200, "(" * 300 + ")" * 300):
        with pytest.raises(ConfigError):
            rows_where(ROWS, text)
