"""The program of the textbooks: `sm.OLS` event by event, then the tests; pandas, statsmodels,
scipy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats


def answers(folder: Path) -> dict[str, float]:
    """Answer one case."""
    case = json.loads((folder / "case.json").read_text())
    if case["model"] == "market_adjusted":
        return {}
    returns = pd.read_csv(folder / "returns.csv", index_col="date")
    events = pd.read_csv(folder / "events.csv", dtype=str)
    market = returns[case["market"]].to_numpy()
    X = sm.add_constant(market) if case["model"] == "market" else np.ones((len(returns), 1))
    before, within = (
        np.arange(first, last + 1) for first, last in (case["estimation"], case["event"])
    )
    found, fits = {}, []
    for event, ticker, day in events.itertuples(index=False):
        y, day0 = returns[ticker].to_numpy(), returns.index.get_loc(day)
        days = day0 + before[day0 + before >= 0]
        days = days[np.isfinite(y[days])]
        fit = sm.OLS(y[days], X[days]).fit()
        s2 = fit.ssr / fit.df_resid
        fits.append((event, day0, days, fit, s2, y - X @ fit.params))
        found[f"sigma/{event}"] = np.sqrt(s2)
        found |= {
            f"{n}/{event}": value for n, value in zip(("alpha", "beta"), fit.params, strict=False)
        }
    for text in case["windows"]:
        found |= window(text, fits, X, within)
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def window(text: str, fits: list, X: np.ndarray, within: np.ndarray) -> dict[str, float]:
    """Return the numbers of one window; an event that lacks one of its days is not in them."""
    first, last = json.loads(text)
    found, used, cars, errors, spread = {}, [], [], [], []
    loadings, residuals = np.zeros((len(fits), len(X))), np.full((len(fits), len(X)), np.nan)
    for i, (event, day0, days, fit, s2, ar) in enumerate(fits):
        own = day0 + np.arange(first, last + 1)
        if not np.isfinite(ar[own]).all():
            continue
        x = X[own].sum(axis=0)
        leverage = x @ fit.normalized_cov_params @ x
        car, error = ar[own].sum(), np.sqrt(s2 * (len(own) + leverage))
        found[f"car/{text}/{event}"], found[f"se_car/{text}/{event}"] = car, error
        used.append(i), cars.append(car), errors.append(error)
        spread.append(fit.df_resid / (fit.df_resid - 2))
        # The weight of each day's error in the CAR.
        loadings[i, own] = 1
        loadings[i, days] = -X[days] @ fit.normalized_cov_params @ x
        residuals[i, days] = ar[days]
    N, cars, scars = len(used), np.array(cars), np.array(cars) / errors
    z = {
        "patell": scars.sum() / np.sqrt(sum(spread)),
        "sign": 2 * np.sqrt(N) * ((cars > 0).mean() - 0.5),
    }
    found[f"caar/{text}"], t = cars.mean(), {}
    if N > 1:
        t["cross_sectional"] = cars.mean() / (cars.std(ddof=1) / np.sqrt(N))
        t["bmp"] = scars.mean() / (scars.std(ddof=1) / np.sqrt(N))
        r = mean_correlation(residuals[used], loadings[used])
        z["patell_kp"] = z["patell"] / np.sqrt(1 + (N - 1) * r)
        t["bmp_kp"] = t["bmp"] * np.sqrt((1 - r) / (1 + (N - 1) * r))
    p = {name: 2 * stats.norm.sf(abs(value)) for name, value in z.items()}
    p |= {name: 2 * stats.t.sf(abs(value), N - 1) for name, value in t.items()}
    found |= {f"{name}/{text}": value for name, value in (z | t).items()}
    return found | {f"p.{name}/{text}": value for name, value in p.items()}


def mean_correlation(residuals: np.ndarray, loadings: np.ndarray) -> float:
    """Return the mean correlation of standardised CARs.

    The correlation of two events is that of their residuals on common days, times the share of
    the errors of their windows that falls on the same days.
    """
    least = min(30, int(np.isfinite(residuals).sum(axis=1).min()))
    rho = pd.DataFrame(residuals.T).corr(min_periods=least).to_numpy()
    unit = loadings / np.linalg.norm(loadings, axis=1)[:, None]
    overlap = unit @ unit.T
    pairs = np.triu_indices(len(rho), 1)
    rho, overlap = rho[pairs], overlap[pairs]
    known = rho[np.isfinite(rho)]
    # Pairs without enough common days; where no pair has them, no two events overlap.
    rho[~np.isfinite(rho)] = known.mean() if len(known) else 0.0
    return float((rho * overlap).mean())


for name in sys.argv[1:]:
    (Path(name) / "answers.json").write_text(json.dumps(answers(Path(name))))
