"""False alarms and power of the verdict of one to four events, in calm years and in a crisis.

.venv/bin/python benchmarks/violent_days.py

Every session of a period is taken as the day of an announcement that did nothing, for each of the
bundled US shares. Abnormal returns are those of the market model of days -250 to -31; the last rows
of a period are false alarms of the constant mean. The test at 5% takes once the variance of the
estimation window (`event_t`, `patell_kp`), and once that of the days before the event
(`event_t_regime`, `patell_kp_regime`). Power is the share of announcements found that moved the
share by four residual standard deviations on day 0: alone, after a jump of the share on day -3, and
where the news moves the market too. Standard errors are by calendar week. Exits with 1 if a rate
with the variance of these days is outside of 2 to 8% (constant mean: above 10%), or a jump or a
moved market costs more than six points of power.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.returns import DATA_CALENDAR, ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.windows import build_windows

SAMPLE = Path(__file__).parents[1] / "eventstudy" / "data" / "sample.csv.gz"
MARKET = "^GSPC"
ESTIMATION, EVENT = Window(-250, -31), Window(-10, 10)
WINDOWS = (Window(0, 1), Window(0, 5), Window(-10, 10))
MAIN = WINDOWS[0]
# First and last day, and every how many sessions are taken.
PERIODS = {"calm years": ("2015-03-01", "2019-12-31", 5), "crisis": ("2020-02-20", "2020-06-30", 1)}
TOGETHER, DRAWS = 3, 4
EFFECT, JUMP, MOVED = 4.0, 12.0, 5.0
BOUNDS, DEAREST = (0.02, 0.08), 0.06
# The market's own moves of these days are errors of the constant mean, and all of one week alike.
HIGHEST_OF_MEAN = 0.10
FIRST, LAST = ESTIMATION.start, EVENT.stop
DAY0 = -FIRST


class Days(NamedTuple):
    """Announcements of a period: returns of share and market around each, (n, days)."""

    shares: np.ndarray
    market: np.ndarray
    dates: np.ndarray

    @classmethod
    def of(cls, returns: pd.DataFrame, first: str, last: str, step: int) -> Days:
        """Take every share on every `step`-th session of a period."""
        dates = returns.index.to_numpy().astype("datetime64[D]")
        inside = np.flatnonzero((dates >= np.datetime64(first)) & (dates <= np.datetime64(last)))
        shares, market, when = [], [], []
        for at in inside[::step]:
            around = returns.iloc[at + FIRST : at + LAST + 1]
            for name in returns.columns.drop(MARKET):
                if len(around) == LAST - FIRST + 1 and around[name].notna().all():
                    shares.append(around[name].to_numpy())
                    market.append(around[MARKET].to_numpy())
                    when.append(dates[at])
        return cls(np.array(shares), np.array(market), np.array(when))

    def fit(self, model: str = "market") -> AbnormalReturns:
        """Return the abnormal returns by a model of the market, or of the mean alone."""
        n, length = self.shares.shape
        values = np.vstack([self.shares, self.market])
        sessions = np.busday_offset("2000-01-03", np.arange(length), roll="forward")
        panel = ReturnsPanel(
            keys=tuple((f"S{i}", DATA_CALENDAR) for i in range(len(values))), values=values,
            spans=np.ones(values.shape, dtype=np.int16), sessions=sessions,
            calendars={DATA_CALENDAR: np.arange(length)},
        )  # fmt: skip
        windows = build_windows(
            panel, calendars=[DATA_CALENDAR] * n, day0=np.full(n, sessions[DAY0]),
            rows=np.arange(n), market_rows=np.arange(n, 2 * n),
            factor_rows=np.arange(n, 2 * n)[:, None][:, : len(MODELS[model]().factors)],
            estimation=ESTIMATION, event=EVENT,
        )  # fmt: skip
        return MODELS[model]().fit(windows, engine="batch")


def rate(hits: np.ndarray, dates: np.ndarray) -> tuple[float, float]:
    """Return the share of hits, and its standard error by calendar week."""
    week = dates.astype("datetime64[W]")
    number = np.unique(week, return_inverse=True)[1]
    misses = np.bincount(number, weights=hits - hits.mean())
    return float(hits.mean()), float(np.sqrt((misses**2).sum()) / len(hits))


def false_alarms(days: Days, a: AbnormalReturns) -> Iterator[tuple[str, np.ndarray, ...]]:
    """Yield a name, the p without and with the variance of these days, and the dates."""
    for window in WINDOWS:
        raised = a.car_pvalues(window, a.recent_variance(window))
        yield f"1 event, {window}", a.car_pvalues(window), raised, days.dates
    rng = np.random.default_rng(1)
    pairs, dates = [], []
    for date in np.unique(days.dates):
        firms = np.flatnonzero(days.dates == date)
        for _ in range(DRAWS):
            sample = a.take(rng.choice(firms, TOGETHER, replace=False))
            names = "patell_kp", "patell_kp_regime"
            pairs.append([STATISTICS[name](sample, MAIN).pvalue for name in names])
            dates.append(date)
    without, with_k = np.array(pairs).T
    yield f"{TOGETHER} events on one date, {MAIN}", without, with_k, np.array(dates)


def power(days: Days, a: AbnormalReturns) -> Iterator[tuple[str, np.ndarray, ...]]:
    """Yield the same of announcements that moved the share by four residual standard deviations."""
    sd = np.sqrt(a.sigma2)
    moved = days.market[:, :DAY0].std(axis=1) * MOVED
    effect = days.shares.copy()
    effect[:, DAY0] += EFFECT * sd
    jumped = effect.copy()
    jumped[:, DAY0 - 3] += JUMP * sd
    pulled, market = effect.copy(), days.market.copy()
    market[:, DAY0] += moved
    pulled[:, DAY0] += a.params[:, 1] * moved
    cases = {
        "an effect of 4 sd": days._replace(shares=effect),
        "the same after a jump of 12 sd": days._replace(shares=jumped),
        "the same, the market moved by 5 sd": days._replace(shares=pulled, market=market),
    }
    for name, case in cases.items():
        fitted = case.fit()
        raised = fitted.car_pvalues(MAIN, fitted.recent_variance(MAIN))
        yield name, fitted.car_pvalues(MAIN), raised, days.dates


def main() -> int:
    """Print the table; return 1 where a rate is outside of its bounds."""
    prices = pd.read_csv(SAMPLE, index_col="date", parse_dates=True)
    returns = prices[prices[MARKET].notna()].pct_change(fill_method=None).iloc[1:]
    is_bad = False
    print(f"{'':42}{'without':>14}{'with':>14}   rejections at 5%, % (s.e.)")
    for period, (first, last, step) in PERIODS.items():
        days = Days.of(returns, first, last, step)
        a = days.fit()
        print(f"{period}, {len(days.dates):,} events on {len(np.unique(days.dates))} days")
        for name, *pvalues, dates in false_alarms(days, a):
            rates = [rate(p < 0.05, dates) for p in pvalues]
            is_bad |= not BOUNDS[0] <= rates[1][0] <= BOUNDS[1]
            print_row(name, rates)
        found = []
        for name, *pvalues, dates in power(days, a):
            rates = [rate(p < 0.05, dates) for p in pvalues]
            found.append(rates[1][0])
            print_row(name, rates)
        is_bad |= min(found) < found[0] - DEAREST
        for name, *pvalues, dates in false_alarms(days, days.fit("constant_mean")):
            rates = [rate(p < 0.05, dates) for p in pvalues]
            is_bad |= rates[1][0] > HIGHEST_OF_MEAN
            print_row(f"mean alone, {name}", rates)
        k = a.recent_variance(MAIN)
        print(f"  k of {MAIN}: median {np.median(k):.2f}, at least 1.5 in {(k >= 1.5).mean():.0%}")
    return int(is_bad)


def print_row(name: str, rates: list[tuple[float, float]]) -> None:
    """Print a name, and each rate with its standard error in percent."""
    print(f"  {name:40}" + "".join(f"{100 * r:8.1f} ({100 * se:.1f})" for r, se in rates))


if __name__ == "__main__":
    sys.exit(main())
