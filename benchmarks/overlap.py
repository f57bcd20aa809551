"""How often tests without a remedy for dependence reject where a diagnosis lets them pass, and where not.

    python benchmarks/overlap.py --samples 1000

Events on random sessions, so that a few windows share sessions; the shocks of a session are correlated within
each sector. For each number of events, correlation and window: neighbours of an event, mean of 1+(N-1)r,
share of the samples in which the dependence is found immaterial for BMP, and rejections of BMP at 5% in all
samples and in those.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from designs import Design, simulate
from eventstudy.analysis.verdicts import _of_dependence

from eventstudy.analysis.situation import Situation, measure
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.windows import Window

SESSIONS, DAYS = 1500, 220
WINDOWS = (Window(0, 1), Window(-1, 1), Window(-3, 3), Window(-5, 5))
HEAD = (
    "events",
    "sectors",
    "rho",
    "window",
    "neighbours",
    "factor",
    "passes",
    "size",
    "size where it passes",
)


def drawn(n: int, sectors: int, rho: float, dates: int, rng: np.random.Generator) -> Design:
    """Return a design of `n` events on random sessions; 0 = any of them, else of so many dates."""
    sessions = rng.integers(0, SESSIONS, dates or n)
    at = rng.choice(sessions, n) if dates else sessions
    own = tuple(rng.integers(0, sectors, n).tolist())
    return replace(Design("", tuple(at.tolist()), rho=rho), sectors=own, days=DAYS)


def passes(s: Situation) -> bool:
    """Tell whether nothing of the dependence speaks against BMP."""
    return not list(_of_dependence(s, STATISTICS["bmp"]))


def rows(n: int, sectors: int, rho: float, dates: int, samples: int, seed: int) -> list[tuple[Any, ...]]:
    """Return one row a window."""
    found: dict[Window, list[tuple[float, ...]]] = {w: [] for w in WINDOWS}
    for child in np.random.SeedSequence([seed, n, sectors, round(100 * rho), dates]).spawn(samples):
        rng = np.random.default_rng(child)
        fit = MODELS["market"]().fit(simulate(drawn(n, sectors, rho, dates, rng), rng), engine="batch")
        events = pd.DataFrame({"flags": [""] * n, "ticker": [str(i) for i in range(n)]})
        for window in WINDOWS:
            s = measure(SimpleNamespace(abnormal=fit, events=events), window)  # type: ignore[arg-type]
            near = (n - 1) * (s.same_date_pairs + s.overlapping_pairs)
            p = STATISTICS["bmp"](fit, window).pvalue
            found[window].append((near, s.factor, passes(s), p < 0.05))
    out = []
    for window, each in found.items():
        near, factor, able, rejects = np.array(each).T
        there = rejects[able == 1].mean() if able.any() else np.nan
        who = f"{n} on {dates} dates" if dates else str(n)
        out.append(
            (who, sectors, rho, window, near.mean(), factor.mean(), able.mean(), rejects.mean(), there)
        )
    return out


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--samples", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=20251119)
    asked.add_argument("--events", default="50,250", help="[default: 50,250]")
    asked.add_argument("--rho", default="0,0.1,0.3", help="[default: 0,0.1,0.3]")
    asked.add_argument("--sectors", type=int, default=11, help="[default: 11]")
    asked.add_argument("--dates", type=int, default=0, help="on so many dates [default: any session]")
    given = asked.parse_args()
    print("| " + " | ".join(HEAD) + " |\n|" + "--:|" * len(HEAD))
    for n in map(int, given.events.split(",")):
        for rho in map(float, given.rho.split(",")):
            found = rows(n, given.sectors, rho, given.dates, given.samples, given.seed)
            for who, own, r, window, near, factor, *rates in found:
                shown = " | ".join(f"{100 * rate:.1f}" for rate in rates)
                print(
                    f"| {who} | {own} | {r:g} | {window} | {near:.2f} | {factor:.3f} | {shown} |", flush=True
                )


if __name__ == "__main__":
    main()
