"""Calibration on other dates: draws, false-alarm rates, power and seconds.

    python benchmarks/calibration.py                        # simulated panels
    python benchmarks/calibration.py --events events.csv    # and a list with the bundled prices

Four parts: a list of firms that come again, and how many draws it gives; clustered announcements,
where BMP rejects far too often and BMP-KP must not; the power of the closed form beside that by
adding effects to the draws; and CPU seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.analysis import calibrate
from eventstudy.calendars import Window
from eventstudy.fitting import FittedStudy

MAIN = Window(0, 1)
EIGHT = (
    "bmp_kp", "bmp", "patell_kp", "cross_sectional", "date_clustered", "corrado",
    "generalized_sign", "calendar_time",
)  # fmt: skip
YEAR = 252


Ints = np.ndarray[Any, Any]


def fitted(
    firms: int, day0: Ints, owner: Ints, *, rho: float = 0.0,
    sigma: tuple[float, float] = (0.01, 0.03), years: float = 8, seed: int = 0, tail: float = 5,
) -> es.EventStudyResults:  # fmt: skip
    """Return the study of a seeded market; `rho` correlates the shocks of firms on a session.

    Parameters
    ----------
    firms : int
    day0, owner : (n,) int arrays
        Session and firm of each event.
    rho : float
    sigma : (float, float)
        Range of the residual standard deviations.
    years : float
    seed : int
    tail : float
        Degrees of freedom of Student's t of all shocks.
    """
    rng, days = np.random.default_rng(seed), int(years * YEAR)
    shocks = rng.standard_t(tail, (days, firms + 2)) * np.sqrt(1 - 2 / tail)
    market, shared = 0.01 * shocks[:, 0], shocks[:, 1]
    own = np.sqrt(rho) * shared[:, None] + np.sqrt(1 - rho) * shocks[:, 2:]
    values = rng.normal(1, 0.3, firms) * market[:, None] + rng.uniform(*sigma, firms) * own
    index = pd.bdate_range("2014-01-01", periods=days)
    names = [f"F{i:03d}" for i in range(firms)]
    frame = pd.DataFrame(values, index, names).assign(MKT=market)
    news = pd.DataFrame({
        "ticker": np.array(names)[owner], "announced_at": index[day0].strftime("%Y-%m-%d"),
        "event_id": [f"e{i}" for i in range(len(owner))], "benchmark": "MKT",
    })  # fmt: skip
    events = es.events_from_frame(news, calendar="data")
    return es.EventStudy(events, frame, engine="batch").fit()


def repeated() -> None:
    """Print the draws of 44 events of 20 firms over eight years, and the rates of the tests."""
    rng = np.random.default_rng(8)
    owner = rng.permutation(np.r_[np.arange(20), np.arange(20), np.arange(4)])
    day0 = np.sort(rng.integers(265, 8 * YEAR - 15, 44))
    study = fitted(20, day0, owner, rho=0.02, seed=8)
    show("44 events of 20 firms over eight years", study, draws=10_000, tests=EIGHT)


def clustered() -> None:
    """Print the rates for 30 correlated firms on one date: BMP-KP 5 +- 1, BMP 30 or more."""
    sizes, worth = [], 0.0
    for seed in range(8):
        study = fitted(30, np.full(30, 1500), np.arange(30), rho=0.2, seed=seed)
        result = calibrate(study, MAIN, draws=10_000, tests=("bmp_kp", "bmp"), power=False)
        sizes.append(result.sizes[["size_1", "size_5", "size_10"]])
        worth += result.effective_draws
    print(f"\n30 events on one date, correlation 0.2, eight panels (worth {worth:,.0f} draws)")
    print((sum(sizes) / len(sizes)).round(4).to_string())


def power() -> None:
    """Print the power of the closed form beside that of effects added to the draws."""
    from scipy.stats import nct, t

    day0 = np.sort(np.random.default_rng(5).integers(265, 8 * YEAR - 15, 50))
    study = fitted(50, day0, np.arange(50), sigma=(0.02, 0.02), seed=5, tail=1e6)
    result = calibrate(study, MAIN, draws=10_000, tests=())
    # The closed form with the error that the test has on a typical draw.
    placebos = result.placebos
    se = float((placebos["mean_car"] / placebos["statistic"]).abs().median())
    df = result.n_events - 1
    upper = t.ppf(0.975, df)
    print(f"\nPower of BMP-KP, {result.draws:,} draws (worth {result.effective_draws:,.0f})")
    print("effect  injected  closed form   gap in s.e.")
    for effect, injected in result.power.to_numpy()[:-2]:
        shift = effect / se
        closed = 1 - nct.cdf(upper, df, shift) + nct.cdf(-upper, df, shift)
        error = np.sqrt(max(closed * (1 - closed), 1e-9) / result.effective_draws)
        print(f"{effect:6.2%}  {injected:8.3f}  {closed:11.3f}  {(injected - closed) / error:+.1f}")


def show(title: str, study: FittedStudy, **options: Any) -> None:
    """Print one calibration with its CPU seconds.

    Parameters
    ----------
    title : str
    study : FittedStudy
    **options
        Of :func:`calibrate`.
    """
    seconds, result = timed(lambda: calibrate(study, MAIN, power=False, **options))
    print(f"\n{title}: {result.n_events} events, {seconds:.1f} CPU s\n{result}")
    print(result.sizes.round(4).to_string())


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of a function, and what it returns."""
    start = time.process_time()
    out = work()
    return time.process_time() - start, out


def speed(study: FittedStudy) -> None:
    """Print CPU seconds of the draws of a run, and of 1,000 draws of eight tests."""
    for draws, tests in ((499, ()), (1000, EIGHT)):
        work = [timed(lambda: calibrate(study, MAIN, draws=draws, tests=tests, power=False))  # noqa: B023
                for _ in range(3)]  # fmt: skip
        seconds, result = min(work, key=lambda pair: pair[0])
        n = f"{result.draws} draws, {result.n_events} events, {max(1, len(tests))} tests"
        print(f"{n}: {seconds:.2f} CPU s")


def main() -> None:
    """Print all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", help="a list with the bundled prices: its adverse events")
    arguments = parser.parse_args()
    repeated()
    clustered()
    power()
    day0 = np.sort(np.random.default_rng(1).integers(265, 8 * YEAR - 15, 50))
    study: FittedStudy = fitted(50, day0, np.arange(50), rho=0.05, seed=1)
    if arguments.events:
        listed = es.run_study(arguments.events, es.StudyConfig(prices="sample"), offline=True)
        study = listed.groups("direction")["adverse"]
        tests = ("bmp_kp", "patell", "cross_sectional", *EIGHT)
        show(f"Adverse events of {arguments.events}", study, draws=10_000, tests=tests)
    print()
    speed(study)


if __name__ == "__main__":
    main()
