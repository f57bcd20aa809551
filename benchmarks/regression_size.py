"""How often regressions of CARs find a difference where there is none, and where there is one.

Simulated: market model, market 1 % a day, firms' own shocks 2 %, and a factor of 0.6 % a day that
the model does not have and whose loading is the characteristic. Estimation window [-250,-31], CAR
over [0,1]. Real: the US shares whose prices are bundled, and those beside the project where they
are there, every fifth session a date, the characteristics beta, volatility and past return.

    python benchmarks/regression_size.py [--samples 300] [--only one,few,classes,real] [--json FILE]

Each sample has a seed of its own. The exit code is 1 if a rate is outside its limits by more than
two standard errors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.analysis import CarRegression
from eventstudy.analysis.cross_section._regressors import Design, Term
from eventstudy.analysis.cross_section.cross_section import estimate
from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.significance import pvalue
from eventstudy.utility import FloatArray
from eventstudy.windows import EventWindows

ESTIMATION, EVENT, CAR = Window(-250, -31), Window(-30, 1), Window(0, 1)
MARKET, OWN, FACTOR = 0.01, 0.02, 0.006
ROOT = Path(__file__).resolve().parents[1]
BUNDLED = ROOT / "eventstudy" / "data" / "sample.csv.gz"
BESIDE, INDEX = ROOT.parent / "shared" / "market-data" / "prices", "^GSPC"
CHIPS = ("AVGO", "LITE", "MU", "QCOM", "QRVO", "SWKS")
# Real dates are so many sessions apart; in a crisis each session is one.
STEP, CRISIS = 5, ("2020-02-20", "2020-06-30")
CHARACTERISTICS = ("beta", "volatility", "past return")


@dataclass(frozen=True)
class Cell:
    """One kind of sample.

    Attributes
    ----------
    says : str
        What it is.
    n : int
        Firms, each with one event.
    dates : int
        On so many dates; `apart` sessions from one to the next.
    factor, burst : float
        Size of the factor (1 is 0.6 % a day), and its variance in the window; 1 before it.
    own : float
        Variance of the firms' own shocks in the window; 1 before it.
    in_class : int
        Firms of a class, whose difference is tested; 0 for a number.
    numbers : int
        Characteristics.
    effect : float
        Of one standard deviation of the first, or of the class (decimal).
    limits : pair of float
        Between which the rate of the default errors has to be, in percent.
    joint : bool
        Whether the joint test of all characteristics is counted.
    """

    says: str
    n: int = 60
    dates: int = 1
    apart: int = 7
    factor: float = 1.0
    burst: float = 1.0
    own: float = 1.0
    in_class: int = 0
    numbers: int = 1
    effect: float = 0.0
    limits: tuple[float, float] = (2.0, 7.5)
    joint: bool = False


def _one() -> Iterator[Cell]:
    for n in (10, 20, 60, 300):
        for own in (1, 2, 4):
            if n == 300 and own == 4:
                continue
            says = f"one date, {n} firms, own variance x{own}"
            yield Cell(says, n=n, own=own, limits=(3.6, 6.3) if own == 1 else (3.7, 7.5))
    yield Cell("one date, 4 characteristics together", numbers=4, joint=True, limits=(3.6, 6.3))
    for n in (10, 60, 300):
        says = f"one date, {n} firms, variance of the factor x3"
        yield Cell(says, n=n, burst=3, limits=(8, 28))
    for own in (2, 4):
        says = f"power at 1.6 %, one date, own variance x{own}"
        yield Cell(says, own=own, effect=0.016, limits=(0, 100))


def _few() -> Iterator[Cell]:
    for dates in (3, 5, 10, 20, 40):
        for factor in (0, 1):
            for own in (1, 2):
                says = f"{dates} dates, {'factor' if factor else 'no factor'}, own variance x{own}"
                yield Cell(says, dates=dates, factor=factor, own=own)


def _classes() -> Iterator[Cell]:
    for in_class in (1, 2, 4):
        for own in (1, 2):
            says = f"one date, class of {in_class} of 40, own variance x{own}"
            limits = (2.0, 6.0) if own == 1 else (2.0, 9.2)
            yield Cell(says, n=40, in_class=in_class, factor=0, own=own, limits=limits)


def draw(cell: Cell, rng: np.random.Generator) -> tuple[AbnormalReturns, FloatArray]:
    """Return one sample: its abnormal returns, and its characteristics (n, q)."""
    n, T = cell.n, len(ESTIMATION) + len(EVENT) + cell.apart * (cell.dates - 1)
    day0 = -ESTIMATION.start + cell.apart * (np.arange(n) % cell.dates)
    x = rng.standard_normal((n, cell.numbers))
    if cell.in_class:
        x = (np.arange(n) < cell.in_class).astype(float)[:, None]
    market = rng.normal(0, MARKET, T)
    shared = rng.normal(0, cell.factor * FACTOR, (T, x.shape[1]))
    own = rng.normal(0, OWN, (T, n))
    days = np.r_[ESTIMATION.days, EVENT.days]
    inside = (day0[:, None] + CAR.days)[..., None] == np.arange(T)
    own[inside.any(axis=1).T] *= np.sqrt(cell.own)
    shared[np.unique(day0[:, None] + CAR.days)] *= np.sqrt(cell.burst)
    returns = rng.normal(1, 0.3, n) * market[:, None] + shared @ x.T + own
    at = day0[:, None] + days
    mine = returns[at, np.arange(n)[:, None]]
    mine[:, -1] += cell.effect * x[:, 0]
    ones = np.ones(mine.shape, np.int64)
    windows = EventWindows.of(
        estimation=ESTIMATION, event=EVENT, returns=mine, spans=ones, length=ones,
        factors=market[at][:, :, None],
        positions=at, day0=day0, sessions=np.arange(T).astype("datetime64[D]"),
        hours=np.tile([14.5, 21.0], (n, 1)), calendar=np.zeros(n, np.int64),
        calendars=(np.arange(T),),
    )  # fmt: skip
    return MODELS["market"]().fit(windows, engine="batch"), x


def regressed(sample: AbnormalReturns, x: FloatArray) -> CarRegression:
    """Return the regression of the CARs of a sample on characteristics (n, q)."""
    n, terms = len(x), [Term(CarRegression.CONSTANT, (), "", "constant", "", len(x), len(x))]
    for j in range(x.shape[1]):
        is_class = bool(np.isin(x[:, j], (0, 1)).all())
        kind, count = ("class", int(x[:, j].sum())) if is_class else ("number", n)
        smallest = min(count, n - count) if is_class else n
        terms.append(Term(f"x{j}", (f"x{j}",), f"x{j}", kind, "", count, smallest))
    return estimate(sample, Design(np.column_stack([np.ones(n), x]), tuple(terms)), CAR, {})


def rates_of(cell: Cell, samples: int) -> dict[str, Any]:
    """Return how often each kind of errors rejects at 5 %, and which of them decide."""
    found, by_date, df = dict[str, list[float]](), 0, []
    for k in range(samples):
        rng = np.random.default_rng([k, cell.n, cell.dates, int(10 * cell.own)])
        fit = regressed(*draw(cell, rng))
        # Of small classes the errors beside have no p in a table; here they show why.
        b = fit.table["estimate"].iloc[1]
        p = {e.label: pvalue(b / np.sqrt(e.V[1, 1]), e.df[1]) for e in fit.errors if not e.reason}
        p["default"] = fit.joint().pvalue if cell.joint else fit.table["pvalue"].iloc[1]
        for label, value in p.items():
            found.setdefault(label, []).append(value)
        by_date += fit.cov == "CR2"
        df += [e.df[1:].min() for e in fit.errors if e.label == "CR2"]
    rates = {label: _rate(np.array(values)) for label, values in found.items()}
    return {"says": cell.says, "rates": rates, "by_date": by_date / samples, "df": np.median(df)}


def _rate(p: FloatArray) -> tuple[float, float]:
    """Return the share of p below 5 %, and its standard error, in percent; NaN without any p."""
    p = p[np.isfinite(p)]
    if not len(p):
        return np.nan, np.nan
    share = float((p < 0.05).mean())
    return 100 * share, 100 * float(np.sqrt(max(share * (1 - share), 1 / len(p) ** 2) / len(p)))


def real_returns() -> pd.DataFrame:
    """Return daily returns of US shares and of the index, (T, n+1)."""
    prices = pd.read_csv(BUNDLED, index_col="date", parse_dates=True)
    for name in CHIPS:
        if (path := BESIDE / f"{name}.csv").exists():
            table = pd.read_csv(path, index_col="date", parse_dates=True)
            prices[name] = table["adj_close"]
    return prices.dropna().pct_change().iloc[1:]


def real_sample(
    returns: pd.DataFrame, day: int, own: float, rng: np.random.Generator
) -> tuple[AbnormalReturns, FloatArray]:
    """Return the shares on one day, and their characteristics in standard deviations, (n, 3)."""
    firms, days = returns.drop(columns=INDEX).to_numpy().T, np.r_[ESTIMATION.days, EVENT.days]
    n, at = len(firms), np.tile(day + days, (len(firms), 1))
    mine, T = firms[:, day + days], len(returns)
    if own > 1:
        more = mine[:, : len(ESTIMATION)].std(axis=1)[:, None] * np.sqrt(own - 1)
        mine[:, -len(CAR) :] += more * rng.standard_normal((n, len(CAR)))
    ones = np.ones(mine.shape, np.int64)
    windows = EventWindows.of(
        estimation=ESTIMATION, event=EVENT, returns=mine, spans=ones, length=ones,
        factors=returns[INDEX].to_numpy()[at][:, :, None], positions=at, day0=np.full(n, day),
        sessions=np.arange(T).astype("datetime64[D]"), hours=np.tile([14.5, 21.0], (n, 1)),
        calendar=np.zeros(n, np.int64), calendars=(np.arange(T),),
    )  # fmt: skip
    a = MODELS["market"]().fit(windows, engine="batch")
    before = mine[:, : len(ESTIMATION)]
    x = np.column_stack([a.params[:, 1], before.std(axis=1), np.log1p(before).sum(axis=1)])
    return a, (x - x.mean(axis=0)) / x.std(axis=0)


def real_rates() -> Iterator[dict[str, Any]]:
    """Yield how often each characteristic, alone, is significant on real days, a cell each."""
    returns = real_returns()
    days = returns.index
    first, last = -ESTIMATION.start, len(returns) - len(CAR)
    crisis = np.flatnonzero((days >= CRISIS[0]) & (days <= CRISIS[1]))
    spells = {"real days": np.arange(first, last, STEP), "Feb to Jun 2020": crisis}
    for name, chosen in spells.items():
        for own in (1, 2):
            rng, p = np.random.default_rng(own), []
            for day in chosen:
                a, x = real_sample(returns, int(day), own, rng)
                fits = [regressed(a, x[:, [j]]) for j in range(x.shape[1])]
                p.append([[fit.pvalues.iloc[1], fit.by("HC3")["pvalue"].iloc[1]] for fit in fits])
            for j, characteristic in enumerate(CHARACTERISTICS):
                both = np.array(p)[:, j]
                rates = {"default": _rate(both[:, 0]), "HC3": _rate(both[:, 1])}
                says = f"{name}, {returns.shape[1] - 1} shares, {characteristic}, own x{own}"
                limits = (0.5, 6.0) if name == "real days" else (0.0, 8.0)
                yield {"says": says, "rates": rates, "limits": limits, "by_date": 0.0}


def rows(chosen: Sequence[str], samples: int) -> Iterator[dict[str, Any]]:
    """Yield the rates of the chosen parts, a cell each."""
    parts = {"one": _one, "few": _few, "classes": _classes}
    for name in chosen:
        if name == "real":
            yield from real_rates()
            continue
        for cell in parts[name]():
            few = min(samples, 200) if cell.n == 300 else samples
            yield {**rates_of(cell, few), "limits": cell.limits}


def main() -> int:
    """Print the rates, and return 1 if one of them is outside its limits."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--only", default="one,few,classes,real")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    began, done, n_outside = time.process_time(), [], 0
    print(f"{'rejected at 5 %, in percent':58} default   portfolio CR2       HC3   by date")
    for row in rows(options.only.split(","), options.samples):
        rate, error = row["rates"]["default"]
        low, high = row["limits"]
        is_outside = not low - 2 * error <= rate <= high + 2 * error
        n_outside += is_outside
        cells = [_cell(row["rates"].get(name)) for name in ("default", "portfolio", "CR2", "HC3")]
        mark = f"  outside {low} to {high}" if is_outside else ""
        print(f"{row['says']:58} {' '.join(cells)} {row['by_date']:5.0%}{mark}", flush=True)
        done.append(row)
    print(f"{time.process_time() - began:.0f} seconds of CPU")
    if options.json:
        options.json.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    return int(n_outside > 0)


def _cell(rate: tuple[float, float] | None) -> str:
    if rate is None or not np.isfinite(rate[0]):
        return f"{'-':9}"
    return f"{rate[0]:4.1f} ±{rate[1]:3.1f}"


if __name__ == "__main__":
    sys.exit(main())
