"""Samples of simulated events, in the style of Brown and Warner (1985).

Market model, beta ~ N(1, .3), sigma ~ U(.01, .03), market and shocks standardised t(5). The shock
of a firm is sqrt(rho) times one that its sector shares plus sqrt(1-rho) times its own. Event window
[-5,5], where variances are raised; estimation window of 120 days that ends on day -11.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eventstudy.calendars import Window
from eventstudy.utility import FloatArray, IntArray
from eventstudy.windows import EventWindows

EVENT = Window(-5, 5)
GAP = 5
# Events this many sessions apart share none.
APART = 140
SHORTEST = 60
NEW_YORK, SHANGHAI = (14.5, 21.0), (1.5, 7.0)


@dataclass(frozen=True, slots=True)
class Design:
    """One kind of sample.

    Attributes
    ----------
    says : str
        What it is, for a table.
    dates : tuple of int
        Session of each event.
    rho : float
        Correlation of the shocks of one session and sector.
    own, common : float
        Variance in the event window of the firm's own shocks, and of the shared ones; 1 before it.
    effect : float
        Added on day 0.
    spread : float
        Variance of a normal effect that differs between events, on each day of the event window, in
        units of the variance of the shocks (Boehmer, Musumeci and Poulsen 1991).
    differ : float
        Standard deviation of a normal effect on day 0 that differs between events (decimal).
    tail, skew : float
        Degrees of freedom of Student's t; with a skewness, a shifted gamma instead.
    days : int
        Length of the estimation window.
    uneven : bool
        Whether every other event has only part of it, 60 days or more.
    sectors : tuple of int
        Sector of each event; all in one if empty.
    two_exchanges : bool
        Whether every other event is in Shanghai, where news of a New York session arrives one
        session later.
    sigma : pair of float
        Range of the standard deviations.
    windows : tuple of (int, int)
        Windows tested.
    variants : tuple of str
        Tests beside the registered ones.
    model : str
        The model of normal returns.
    garch : pair of float
        a and b of h_t = (1-a-b) + a z^2_t-1 + b h_t-1, the variance of a firm's own normal shocks.
    thin : float
        Share of the days on which a firm does not trade.
    untraded : {"missing", "stale", "stale_day0"}
        Days without a trade are missing, and so is the next return (all trade on days -1 to 1); or
        their return is zero and comes with the next trade, where all trade on day 0, or not.
    """

    says: str
    dates: tuple[int, ...]
    rho: float = 0.0
    own: float = 1.0
    common: float = 1.0
    effect: float = 0.0
    spread: float = 0.0
    differ: float = 0.0
    tail: float = 5.0
    skew: float = 0.0
    days: int = 120
    uneven: bool = False
    sectors: tuple[int, ...] = ()
    two_exchanges: bool = False
    sigma: tuple[float, float] = (0.01, 0.03)
    windows: tuple[tuple[int, int], ...] = ((0, 0), (-5, 5))
    variants: tuple[str, ...] = ()
    model: str = "market"
    garch: tuple[float, float] = (0.0, 0.0)
    thin: float = 0.0
    untraded: str = "missing"

    @property
    def estimation(self) -> Window:
        """The estimation window."""
        stop = EVENT.start - GAP - 1
        return Window(stop - self.days + 1, stop)


def dates(*firms: int, apart: int = APART) -> tuple[int, ...]:
    """Return the dates of events, `firms` of them on each date, dates `apart` sessions from each
    other."""
    return tuple(apart * g for g, n in enumerate(firms) for _ in range(n))


D0 = Design(
    "50 events on dispersed dates", dates(*[1] * 50), variants=("patell_sum", "corrado_fpc")
)
C0 = Design("50 events on one date, correlation .10", dates(50), rho=0.1, variants=("mvrm_f",))
P1 = Design("5 dates x 10 firms, variance x2", dates(*[10] * 5), rho=0.1, own=2, common=2)
O1 = Design(
    "10 consecutive dates x 5 firms, variance x2", dates(*[5] * 10, apart=1), rho=0.1, own=2,
    common=2,
    variants=("patell_sum", "calendar_time_plain"),
)  # fmt: skip
# 14 dates in 3 clusters of consecutive sessions, each cluster in a sector of its own, 40 firms.
_CLUSTERS = [(s, 150 * s + d) for s, length in enumerate((5, 5, 4)) for d in range(length)]
_FIRMS = [_CLUSTERS[i % 14] for i in range(40)]
K1 = Design(
    "14 dates in 3 clusters, 40 firms, correlation .30, t(4), all variance x2",
    tuple(d for _, d in _FIRMS),
    rho=0.3, own=2, common=2, tail=4, sectors=tuple(s for s, _ in _FIRMS),
    windows=((0, 0), (0, 1), (-1, 1), (-3, 3)), variants=("larger_p",),
)  # fmt: skip
S1 = Design(
    "50 events, 5 sessions apart, correlation .30", dates(*[1] * 50, apart=5), rho=0.3,
    variants=("bmp_kp_share", "calendar_time_plain", "calendar_time_window"),
)  # fmt: skip
U1 = Design(
    "27 events on one date and 13 single ones, correlation .30", dates(27, *[1] * 13), rho=0.3,
    variants=("date_clustered_cr1",),
)  # fmt: skip
G1 = Design(
    "20 events on dispersed dates, GARCH(1,1) errors, variance x2", dates(*[1] * 20, apart=300),
    own=2,
    days=250, windows=((0, 0), (0, 1)), model="garch", garch=(0.1, 0.85),
)  # fmt: skip
# Tests that sum ranks or signs over the events of a day.
RANKS = ("corrado", "corrado_zivney", "grank_t", "corrado_zivney_sign")
FEW = ("date_clustered_normal",)
ONE = ("event_t_naive", "event_t_ddof0", "event_t_less", "event_t_greater", "sq_less", "sq_greater")

DESIGNS: dict[str, Design] = {
    "D0": D0,
    "D1": replace(D0, says="D0, variance x2 by effects that differ", spread=1),
    "D5": replace(D0, says="D0, skewness 0.7", skew=0.7),
    "D2": replace(D0, says="D0, skewness 2", skew=2),
    "DS": replace(D0, says="D2, variance x2", skew=2, own=2),
    "C0": C0,
    "C1": replace(C0, says="C0, all variance x2", own=2, common=2),
    "C2": replace(C0, says="C0, variance x2 by effects that differ", spread=1),
    "C3": replace(C0, says="C0, common variance x4", common=4),
    "P1": P1,
    "O1": O1,
    "DP": replace(D0, says="D0 with +0.5 % on day 0", effect=0.005),
    "DV": replace(D0, says="D1 with +0.5 % on day 0", spread=1, effect=0.005),
    "CP": replace(C0, says="C0 with +1 % on day 0", effect=0.01),
    "C20": replace(C0, says="20 events on one date, correlation .10", dates=dates(20)),
    "U1": U1,
    "U2": replace(
        U1, says="dates of 20, 10, 5, 3, 2 events, correlation .30", dates=dates(20, 10, 5, 3, 2),
    ),
    "H1": replace(
        C0, says="C20, half of them with 60-219 of 220 estimation days", dates=dates(20), days=220,
        uneven=True, variants=tuple(f"{name}_equal_scale" for name in RANKS),
    ),
    "S1": S1,
    "S2": replace(S1, says="S1, 220 estimation days", days=220),
    "K1": K1,
    "K2": replace(K1, says="K1, only sector variance x2", own=1),
    "X1": Design(
        "20 events in New York and 20 in Shanghai on one announcement, correlation .10", dates(40),
        rho=0.1,
        two_exchanges=True, variants=("bmp_kp_same_session",),
    ),
    "F3": Design("3 dates x 16 firms, correlation .15", dates(*[16] * 3), rho=0.15, variants=FEW),
    "F5": Design("5 dates x 10 firms, correlation .15", dates(*[10] * 5), rho=0.15, variants=FEW),
    "F10": Design("10 dates x 5 firms, correlation .15", dates(*[5] * 10), rho=0.15, variants=FEW),
    "G0": replace(G1, says="20 events on dispersed dates, GARCH(1,1) errors", own=1),
    "G1": G1,
    "GP": replace(G1, says="G1 with +1 % on day 0", effect=0.01),
    "E1": Design("one event", (0,), variants=ONE),
    "E2": Design("one event, 60 estimation days", (0,), days=60, variants=ONE),
    "E3": Design("one event, exponential shocks", (0,), skew=2, variants=ONE),
}  # fmt: skip


def simulate(design: Design, rng: np.random.Generator) -> EventWindows:
    """Draw one sample; market and shared shocks belong to sessions, so that windows overlap as they
    would."""
    n, L1 = len(design.dates), design.days
    abroad = np.arange(n) % 2 if design.two_exchanges else np.zeros(n, dtype=np.int64)
    days = np.concatenate([design.estimation.days, EVENT.days])
    day0 = np.array(design.dates) + abroad
    used, column = np.unique(day0[:, None] + days, return_inverse=True)
    column, T = column.reshape(n, len(days)), len(used)
    market = 0.01 * student(rng, 5.0, (2, T))[abroad[:, None], column]
    noise = _shocks(design, rng, column, abroad)
    beta, sigma = rng.normal(1, 0.3, n), rng.uniform(*design.sigma, n)
    returns = beta[:, None] * market + sigma[:, None] * noise
    returns[:, L1 - EVENT.start] += design.effect
    if design.spread:
        returns[:, L1:] += (
            np.sqrt(design.spread) * sigma[:, None] * rng.standard_normal((n, len(EVENT)))
        )
    if design.differ:
        returns[:, L1 - EVENT.start] += design.differ * rng.standard_normal(n)
    if design.thin:
        returns = _thinned(returns, design, rng)
    if design.uneven:
        returns[1::2] = _shortened(returns[1::2], L1, rng)
    known = np.isfinite(returns)
    return EventWindows.of(
        estimation=design.estimation,
        event=EVENT,
        returns=returns,
        spans=known.astype(np.int64),
        length=known.astype(np.int64),
        factors=np.where(known, market, np.nan)[:, :, None],
        positions=column,
        day0=column[:, L1 - EVENT.start],
        sessions=np.arange(T).astype("datetime64[D]"),
        hours=np.array([NEW_YORK, SHANGHAI])[abroad],
        calendar=abroad,
        calendars=(np.arange(T),) * 2,
    )


def student(rng: np.random.Generator, tail: float, shape: tuple[int, ...]) -> FloatArray:
    """Draw from Student's t with `tail` degrees of freedom, scaled to unit variance."""
    if np.isinf(tail):
        return rng.standard_normal(shape)
    return rng.standard_t(tail, shape) / np.sqrt(tail / (tail - 2))


def gamma(rng: np.random.Generator, skew: float, shape: tuple[int, ...]) -> FloatArray:
    """Draw from a gamma law with mean 0, unit variance and the given skewness; 2 is the
    exponential."""
    k = 4 / skew**2
    return (rng.gamma(k, size=shape) - k) / np.sqrt(k)


def _shocks(
    design: Design, rng: np.random.Generator, column: IntArray, abroad: IntArray
) -> FloatArray:
    """Draw the shocks of unit variance, (n, days), those of the event window scaled."""
    sector = np.array(design.sectors or [0] * len(column))
    shared = student(rng, design.tail, (sector.max() + 1, column.max() + 2))
    own = (
        gamma(rng, design.skew, column.shape)
        if design.skew
        else student(rng, design.tail, column.shape)
    )
    if any(design.garch):
        own = _clustered(rng, *design.garch, column.shape)
    shared = shared[sector[:, None], column - abroad[:, None] + 1]
    shared[:, design.days :] *= np.sqrt(design.common)
    own[:, design.days :] *= np.sqrt(design.own)
    return np.sqrt(design.rho) * shared + np.sqrt(1 - design.rho) * own


def _clustered(rng: np.random.Generator, a: float, b: float, shape: tuple[int, ...]) -> FloatArray:
    """Draw normal shocks whose variance follows a GARCH(1,1) with mean 1; days passed over are
    drawn, too."""
    n, days = shape
    z = rng.standard_normal((n, days + GAP))
    h = np.ones(n)
    for t in range(days + GAP):
        z[:, t] *= np.sqrt(h)
        h = 1 - a - b + a * z[:, t] ** 2 + b * h
    return np.delete(z, np.arange(days - len(EVENT), days - len(EVENT) + GAP), axis=1)


def _shortened(returns: FloatArray, L1: int, rng: np.random.Generator) -> FloatArray:
    """Return the rows without their first estimation days, SHORTEST to L1 - 1 of them being
    left."""
    first = L1 - rng.integers(SHORTEST, L1, len(returns))
    return np.where(np.arange(returns.shape[1]) < first[:, None], np.nan, returns)


def _thinned(returns: FloatArray, design: Design, rng: np.random.Generator) -> FloatArray:
    """Return what is seen of returns (n, days) where some days have no trade."""
    trades, day0 = rng.random(returns.shape) >= design.thin, design.days - EVENT.start
    trades[:, 0] = True
    if design.untraded == "missing":
        trades[:, day0 - 1 : day0 + 2] = True
        before = np.roll(trades, 1, axis=1)
        return np.where(trades & before, returns, np.nan)
    trades[:, day0] |= design.untraded == "stale"
    last = np.maximum.accumulate(np.where(trades, np.arange(returns.shape[1]), 0), axis=1)
    return np.diff(np.take_along_axis(returns.cumsum(axis=1), last, axis=1), prepend=0.0)
