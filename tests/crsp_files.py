"""Daily files in the layouts of CRSP, and the same returns as a plain table, from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

PERMNOS = (10107, 12060, 14593, 22111, 84788, 93436)
INDICES = ("vwretd", "ewretd", "sprtrn")
# The security that is delisted, and what its holders lost on it.
DELISTED, LOSS = 93436, -0.45
# Returns that are codes by security and place, as legacy files have them.
CODES = {(10107, 0): "C", (14593, 200): "B", (22111, 0): "C"}


class Market(NamedTuple):
    """Returns by day and security, with the indices, and events of these."""

    returns: pd.DataFrame
    events: pd.DataFrame

    @property
    def plain(self) -> pd.DataFrame:
        """The returns with what delisting cost, NaN where there is none."""
        wide = self.returns.copy()
        for permno, place in CODES:
            wide.iloc[place, wide.columns.get_loc(str(permno))] = np.nan
        last = wide[str(DELISTED)].last_valid_index()
        wide.loc[last, str(DELISTED)] = (1 + wide.loc[last, str(DELISTED)]) * (1 + LOSS) - 1
        return wide


def make_market(seed: int = 7, days: int = 420) -> Market:
    """Return a market whose last security stops trading 20 days after its event."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2011-01-03", periods=days)
    market = rng.normal(0.0004, 0.01, days)
    table = {"vwretd": market, "ewretd": market + rng.normal(0, 0.002, days)}
    table["sprtrn"] = market + rng.normal(0, 0.001, days)
    for permno in PERMNOS:
        table[str(permno)] = 0.0001 + market + rng.normal(0, 0.02, days)
    wide = pd.DataFrame(table, index=pd.Index(dates, name="date")).round(6)
    at = rng.integers(300, 380, len(PERMNOS))
    wide.iloc[at[-1] + 8 :, wide.columns.get_loc(str(DELISTED))] = np.nan
    events = pd.DataFrame({"permno": PERMNOS, "date": dates[at].strftime("%Y-%m-%d")})
    return Market(wide, events)


def long_of(market: Market) -> pd.DataFrame:
    """Return rows of security and day with price, shares, volume and the indices."""
    rng = np.random.default_rng(1)
    wide = market.returns
    rows = wide[list(map(str, PERMNOS))].stack().dropna().rename("ret").reset_index()
    rows = rows.set_axis(["date", "permno", "ret"], axis=1).sort_values(["permno", "date"])
    rows["permno"] = rows["permno"].astype(int)
    growth = (1 + rows["ret"]).groupby(rows["permno"]).cumprod()
    # Where there was no trade the price is the mean of bid and ask, with a minus.
    rows["prc"] = (20 * growth).round(4) * np.where(rng.random(len(rows)) < 0.05, -1, 1)
    rows["shrout"] = rows["permno"] % 1000 * 100 + 1000
    rows["vol"] = rng.integers(1000, 100000, len(rows))
    return rows.merge(wide[list(INDICES)].reset_index(), on="date").reset_index(drop=True)


def legacy(market: Market) -> pd.DataFrame:
    """Return the file of the legacy layout, delisting returns merged by security and day."""
    rows = long_of(market)
    ret = rows["ret"].map("{:.6f}".format).to_numpy(object)
    for (permno, place), code in CODES.items():
        ret[(rows["permno"] == permno) & (rows["date"] == market.returns.index[place])] = code
    rows["ret"], rows["cfacpr"] = ret, 1
    last = rows.index[rows["permno"] == DELISTED][-1]
    rows["dlstcd"], rows["dlret"] = np.nan, np.nan
    rows.loc[last, ["dlstcd", "dlret"]] = 574, LOSS
    return rows[[
        "permno", "date", "prc", "ret", "shrout", "vol", "cfacpr", "dlret", "dlstcd", *INDICES,
    ]]  # fmt: skip


def ciz(market: Market) -> pd.DataFrame:
    """Return the file of the new layout, whose returns have those on delisting in them."""
    rows = long_of(market)
    rows["missing"], rows["deleted"] = "", "N"
    for (permno, place), code in CODES.items():
        at = (rows["permno"] == permno) & (rows["date"] == market.returns.index[place])
        rows.loc[at, ["ret", "missing"]] = np.nan, {"C": "NS", "B": "RA"}[code]
    last = rows.index[rows["permno"] == DELISTED][-1]
    rows.loc[last, "ret"] = (1 + rows.loc[last, "ret"]) * (1 + LOSS) - 1
    rows.loc[last, "deleted"] = "Y"
    rows["cap"] = rows["prc"].abs() * rows["shrout"]
    names = {
        "permno": "PERMNO", "date": "DlyCalDt", "ret": "DlyRet", "missing": "DlyRetMissFlg",
        "prc": "DlyPrc", "shrout": "ShrOut", "cap": "DlyCap", "deleted": "DlyDelFlg",
        "vol": "DlyVol",
    }  # fmt: skip
    return rows.rename(columns=names)[[*names.values(), *INDICES]]


LAYOUTS = {"legacy": legacy, "ciz": ciz}


def write(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame by the ending of a path: .csv, .parquet or .dta."""
    if path.suffix == ".dta":
        frame.to_stata(path, write_index=False, version=118)
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path
