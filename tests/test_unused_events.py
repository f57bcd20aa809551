"""An event that is not used changes no number of another."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from proof_studies import World

# Rows that no study uses: no index is the market of the first two, and the last has no prices.
UNUSED = {"BTC-USD": "daily 00:00 UTC", "TEVA.TA": "XTAE", "GONE": ""}
TABLES = ("car", "caar", "tests")


def tables_of(seed: int, unused: list[str]) -> dict[str, pd.DataFrame]:
    """Return the numbers of eight used events of two exchanges, one of whose shares stands still.

    The prices are the same, whichever unused rows the list has.
    """
    with TemporaryDirectory() as folder:
        world = World(Path(folder) / "study", seed=seed)
        world.add("^GSPC", sd=0.01)
        world.add("^FTSE", "XLON", sd=0.01)
        for k in range(4):
            days = world.add(f"FIR{'ABCD'[k]}", index="^GSPC", still=0.25 if k < 2 else 0.0)
            world.announce(f"FIR{'ABCD'[k]}", days[400 + k].date(), group="us")
            days = world.add(f"FIR{'ABCD'[k]}.L", "XLON", index="^FTSE", beta=0.8)
            world.announce(f"FIR{'ABCD'[k]}.L", days[402 + k].date(), group="uk")
        for ticker, calendar in UNUSED.items():
            if calendar:
                days = world.add(ticker, calendar, sd=0.04)
            if ticker in unused:
                world.announce(ticker, days[405].date(), group="us")
        run = world.study()
        found = {name: pd.read_csv(run / "tables" / f"{name}.csv") for name in TABLES}
    found["car"] = found["car"][~found["car"]["ticker"].isin(UNUSED)]
    return {
        name: table.select_dtypes("number").reset_index(drop=True) for name, table in found.items()
    }


@pytest.mark.slow
@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 10_000),
    unused=st.lists(st.sampled_from(sorted(UNUSED)), min_size=1, unique=True),
)
def test_unused_events_change_no_number(seed: int, unused: list[str]) -> None:
    without, beside = tables_of(seed, []), tables_of(seed, unused)
    for name in TABLES:
        pd.testing.assert_frame_equal(without[name], beside[name], rtol=1e-11, atol=1e-13, obj=name)
