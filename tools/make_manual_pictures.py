"""Draw the pictures of the manual that stand in its own colours: time lines, paths, dots.

    python tools/make_manual_pictures.py docs/_static

The manual puts the drawings into its pages, so their colours are those of its theme, light or dark.
Numbers are computed by the program: from the bundled list and its prices, or from the prices of a
share that is made here with a fixed seed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

import eventstudy as es

INK = "var(--color-foreground-primary, #1a1e22)"
MUTED = "var(--color-foreground-secondary, #565c63)"
PALE = "var(--color-background-border, #e4e2dc)"
BLUE = "var(--color-brand-primary, #0b5394)"
BAR = "color-mix(in srgb, currentColor 45%, transparent)"
SHADE = "color-mix(in srgb, currentColor 14%, transparent)"
ON_BLUE = "var(--color-background-primary, #ffffff)"
WIDTH = 720
# Of drawings that a phone shows whole.
NARROW = 400
# News after the close of New York on a share of Hong Kong, in the zone of each.
NEWS = datetime(2018, 4, 16, 16, 30, tzinfo=ZoneInfo("America/New_York"))
SHARE = "0763.HK"
SESSIONS = (
    ("New York", "America/New_York", (16, 17)),
    ("Hong Kong", "Asia/Hong_Kong", (16, 17)),
)
FIRST, LAST = datetime(2018, 4, 16, 0, tzinfo=ZoneInfo("UTC")), 46.0
LEFT = 90
BOLD = 'font-weight="600"'
# The made share, of Shenzhen, whose closes may move by 10% a day.
MADE = "000001.SZ"
MADE_DAY = "2021-01-20"
DAYS = range(-3, 8)
# An event of the bundled list, and the choices of a curve.
SCATTERED = "nvda-2022-08-31-licence"
MODELS = {
    "market": "market model",
    "market_adjusted": "market-adjusted",
    "constant_mean": "constant mean",
}
WINDOWS = ("0:0", "0:1", "-1:1")


def text(x: float, y: float, words: str, fill: str = INK, extra: str = "") -> str:
    """Return words whose line begins at a point."""
    return f'<text x="{x:.0f}" y="{y:.0f}" style="fill:{fill}" {extra}>{words}</text>'


def box(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a filled rectangle; a pale one has an edge, as it is hard to see without."""
    edge = f";stroke:{MUTED}" if fill == PALE else ""
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="fill:{fill}{edge}"/>'
    )


def line(x: float, y: float, x_end: float, y_end: float, stroke: str) -> str:
    """Return a straight line."""
    style = f"stroke:{stroke};stroke-width:1.5"
    return f'<path d="M{x:.0f} {y:.0f}L{x_end:.0f} {y_end:.0f}" style="{style}"/>'


def curve(points: list[tuple[float, float]], stroke: str, dashes: str = "none") -> str:
    """Return a line through points."""
    ways = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    style = f"fill:none;stroke:{stroke};stroke-width:2;stroke-dasharray:{dashes}"
    return f'<path d="M{ways}" style="{style}"/>'


def dot(x: float, y: float, fill: str, stroke: str = "none", r: float = 4.5) -> str:
    """Return a dot, or a ring."""
    style = f"fill:{fill};stroke:{stroke};stroke-width:2"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" style="{style}"/>'


def scale(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    """Return the function that places numbers from `low` to `high` between two points."""
    return lambda value: first + (last - first) * (value - low) / (high - low)


def ticks(
    x_of: Callable[[float], float], values: Iterable[Any], y: float, write: Callable[[Any], str]
) -> list[str]:
    """Return the names of values below an axis."""
    middle = 'text-anchor="middle"'
    return [text(x_of(value), y, write(value), MUTED, middle) for value in values]


def percent(value: float) -> str:
    """Return a fraction as percent: whole ones without a digit, and a minus that is one."""
    digits = 0 if round(1000 * value) % 10 == 0 else 1
    return f"{100 * value:.{digits}f}%".replace("-", "\N{MINUS SIGN}")


def signed(day: int) -> str:
    """Return a day in event time."""
    return f"{day:+d}".replace("-", "\N{MINUS SIGN}") if day else "0"


def drawing(title: str, height: int, parts: list[str], width: int = WIDTH) -> str:
    """Return an SVG that a reader of screens can name."""
    scrolled = ' tabindex="0"' if width > NARROW else ""
    size = f"min-width:{0.75 * width:.0f}px;max-width:{1.2 * width:.0f}px"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
    body = "\n".join(parts)
    return (
        f'<div class="drawn"{scrolled}>{head} aria-label="{title}" style="{size}">'
        f"\n{body}\n</svg></div>\n"
    )


def place(time: datetime) -> float:
    """Return where a time stands on the line of hours."""
    hours = (time - FIRST).total_seconds() / 3600
    return LEFT + (WIDTH - LEFT) * hours / LAST


def draw_day0() -> str:
    """Return the sessions of two exchanges, the news, and the day 0 that the program finds."""
    row = pd.DataFrame({"ticker": [SHARE], "announced_at": [NEWS.isoformat()]})
    day0 = es.events_from_frame(row).table["day0"].iloc[0].date()
    parts = []
    for level, (city, zone, days) in enumerate(SESSIONS):
        top = 40 + 60 * level
        parts.append(text(0, top + 20, city))
        for day in days:
            begin = datetime(2018, 4, day, 9, 30, tzinfo=ZoneInfo(zone))
            end = begin.replace(hour=16, minute=0)
            chosen = city == "Hong Kong" and begin.date() == day0
            x, width = place(begin), place(end) - place(begin)
            parts.append(box(x, top, width, 30, BLUE if chosen else PALE))
            fill = ON_BLUE if chosen else INK
            parts.append(text(x + 6, top + 20, f"{day} April", fill))
            if chosen:
                parts.append(text(x, top + 48, "day 0", BLUE, BOLD))
    x = place(NEWS)
    there = NEWS.astimezone(ZoneInfo("Asia/Hong_Kong"))
    parts.append(line(x, 30, x, 136, INK))
    words = f"news: {NEWS:%H:%M} in New York, {there:%H:%M} of the next day in Hong Kong"
    parts.append(text(x, 20, words, INK, 'text-anchor="middle" font-weight="600"'))
    return drawing(f"{words}. Day 0 in Hong Kong is {day0:%d %B}.", 156, parts)


def draw_windows() -> str:
    """Return the default windows on one line, out of scale."""
    study = es.StudyConfig()
    estimation, event, main = study.estimation, study.event, study.main
    parts = [
        box(20, 40, 380, 30, PALE),
        text(30, 60, "estimation window: what is normal"),
        text(20, 90, str(estimation.start), MUTED),
        text(400, 90, str(estimation.stop), MUTED, 'text-anchor="end"'),
        text(430, 60, "gap", MUTED, 'text-anchor="middle"'),
        box(460, 40, 240, 30, PALE),
        text(468, 60, "event window"),
        text(460, 90, str(event.start), MUTED),
        text(700, 90, f"+{event.stop}", MUTED, 'text-anchor="end"'),
        box(580, 32, 28, 46, BLUE),
        text(594, 22, f"main window [{main.start}, +{main.stop}]", BLUE, 'text-anchor="middle"'),
        text(594, 96, "day 0 and +1", BLUE, 'text-anchor="middle"'),
    ]
    title = (
        f"Estimation window {estimation.start} to {estimation.stop}, a gap, then the event window "
        f"{event.start} to {event.stop} with the main window {main.start} to {main.stop} inside"
    )
    return drawing(title, 106, parts)


def made_closes() -> pd.DataFrame:
    """Return 300 closes of the made share and of its index, with a fixed seed."""
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2020-01-01", periods=300, name="date")
    index = 0.008 * rng.standard_normal(len(days))
    share = index + 0.012 * rng.standard_normal(len(days))
    returns = pd.DataFrame({MADE: share, "INDEX": index}, index=days)
    return (100 * (1 + returns).cumprod()).round(2)


def row_of(table: pd.DataFrame, day: Any) -> int:
    """Return the row of a day."""
    return int(table.index.searchsorted(pd.Timestamp(day)))


def fall(closes: pd.DataFrame, first: int, drops: list[float]) -> None:
    """Let the made share fall by these parts, from the row `first` on, and go on from there."""
    share = closes[MADE].to_numpy().copy()
    moves = share[1:] / share[:-1]
    moves[first - 1 : first - 1 + len(drops)] = 1 - np.array(drops)
    for row in range(first, len(share)):
        share[row] = round(share[row - 1] * moves[row - 1], 2)
    closes[MADE] = share


def study_of(closes: pd.DataFrame, **settings: Any) -> Any:
    """Return the study of one announcement on the made share."""
    news = pd.DataFrame({"ticker": [MADE], "announced_at": [MADE_DAY]})
    prices = closes.reset_index().melt("date", var_name="symbol", value_name="close").dropna()
    return es.study(
        news, prices=prices, benchmark="INDEX", calendar="data", calibrate=0, **settings
    )


def draw_halt() -> str:
    """Return the sessions around a halt of five, and the clock of the event by both settings."""
    closes = made_closes()
    first = row_of(closes, MADE_DAY)
    fall(closes, first + 5, [0.09])
    closes.iloc[first : first + 5, 0] = np.nan
    x_of = scale(DAYS[0], DAYS[-1] + 1, 0, NARROW)
    width = x_of(1) - x_of(0)
    parts = [text(0, 12, "trading", INK, BOLD)]
    is_traded = closes[MADE].iloc[first + DAYS[0] : first + DAYS[-1] + 1].notna()
    traded = [day for day, is_on in zip(DAYS, is_traded, strict=True) if is_on]
    parts += [box(x_of(day) + 2, 20, width - 4, 26, PALE) for day in traded]
    dashed = f"none;stroke:{MUTED};stroke-dasharray:4 3"
    parts.append(box(x_of(0) + 2, 20, 5 * width - 4, 26, dashed))
    parts.append(text(x_of(2.5), 37, "suspended: no price", INK, 'text-anchor="middle"'))
    ends = {}
    for level, halt in enumerate(("calendar", "shift")):
        study = study_of(closes, halt=halt)
        top = 100 + 84 * level
        [car] = study.car((0, 1))["car"]
        [day0] = study.events["day0"]
        zero = row_of(closes, day0) - first
        parts.append(text(0, top - 24, f"--halt {halt}", INK, BOLD))
        parts.append(box(x_of(zero) + 2, top - 16, 2 * width - 4, 28, BLUE))
        for day in DAYS:
            is_off = halt == "shift" and 0 <= day < zero
            name = "" if is_off else signed(day if day < 0 else day - zero)
            fill = ON_BLUE if day in (zero, zero + 1) else MUTED
            parts.append(text(x_of(day + 0.5), top + 4, name, fill, 'text-anchor="middle"'))
        is_lost = bool(np.isnan(car))
        ends[halt] = "no CAR: the event leaves" if is_lost else f"CAR [0, +1] {percent(car)}"
        anchor = "" if is_lost else 'text-anchor="end"'
        edge = x_of(zero) + 2 if is_lost else x_of(zero + 2) - 2
        parts.append(text(edge, top + 30, ends[halt], BLUE, anchor))
    title = (
        "A share is suspended on five sessions. On the clock of the calendar days 0 and +1 are in "
        f"the halt, {ends['calendar']}. With --halt shift day 0 is the first session traded again, "
        f"{ends['shift']}."
    )
    return drawing(title, 222, parts, NARROW)


def draw_limits() -> str:
    """Return a share that closes at its limit four times, and the window that goes on with it."""
    closes = made_closes()
    first = row_of(closes, MADE_DAY)
    fall(closes, first, [0.1, 0.1, 0.1, 0.1, 0.06])
    cut = study_of(closes, limits="none").car((0, 1)).iloc[0]
    extended = study_of(closes, limits="extend").car((0, 1)).iloc[0]
    last = row_of(closes, extended["last_session"]) - first
    shown = closes.iloc[first + DAYS[0] : first + DAYS[-1] + 1]
    base = closes.iloc[first - 1]
    levels = 100 * shown / base
    x_of = scale(DAYS[0], DAYS[-1], 50, 340)
    y_of = scale(55, 105, 210, 30)
    parts = [
        box(x_of(-0.5), 22, x_of(last + 0.5) - x_of(-0.5), 196, PALE),
        box(x_of(-0.5), 22, x_of(1.5) - x_of(-0.5), 196, SHADE),
        text(x_of(0.5), 14, "[0, +1]", INK, 'text-anchor="middle"'),
        text(x_of(1.7), 14, f"goes on to day +{last}", INK),
    ]
    for level in (60, 80, 100):
        parts.append(text(26, y_of(level) + 4, str(level), MUTED, 'text-anchor="end"'))
        parts.append(line(34, y_of(level), 350, y_of(level), PALE))
    parts += ticks(x_of, DAYS, 236, signed)
    for name, color, dashes in (("INDEX", MUTED, "5 3"), (MADE, BLUE, "none")):
        points = [(x_of(d), y_of(v)) for d, v in zip(DAYS, levels[name], strict=True)]
        parts.append(curve(points, color, dashes))
        parts.append(text(352, points[-1][1] + 4, "index" if name == "INDEX" else "share", color))
    for day, level in zip(DAYS, levels[MADE], strict=True):
        is_limit = 0 <= day < last
        parts.append(dot(x_of(day), y_of(level), ON_BLUE if is_limit else BLUE, BLUE))
    for x, fill, name in ((6, ON_BLUE, "close at the limit"), (166, BLUE, "other close")):
        parts += [dot(x, 260, fill, BLUE), text(x + 12, 264, name)]
    words = [
        f"--limits {name}: {percent(row['car'])} over {row['n_sessions']} sessions"
        for name, row in (("none", cut), ("extend (default)", extended))
    ]
    parts += [text(0, 290 + 20 * row, words[row], INK, BOLD) for row in (0, 1)]
    title = f"A share closes at its limit on days 0 to +{last - 1}. {'; '.join(words)}"
    return drawing(title, 320, parts, NARROW)


def bundled(rule: str) -> Any:
    """Return the study of some announcements of the bundled list, with its prices."""
    return es.study(es.example(), prices="sample", calibrate=0).subset(rule)


def draw_calibration() -> str:
    """Return how often the same study gives which t on other dates, and its own t."""
    study = bundled("direction == 'adverse'")
    found = study.calibrate((0, 1))
    own = study.test(found.test, (0, 1)).statistic
    edges = np.arange(-4, 4.01, 0.25)
    far = found.placebos["pvalue"] <= found.nominal_pvalue
    drawn = found.placebos["statistic"]
    counts = np.histogram(drawn, edges)[0]
    x_of = scale(edges[0], edges[-1], 10, NARROW - 10)
    y_of = scale(0, counts.max(), 170, 62)
    width = x_of(0.25) - x_of(0) - 2
    parts = []
    for fill, heights in ((BAR, counts), (BLUE, np.histogram(drawn[far], edges)[0])):
        for edge, count in zip(edges, heights, strict=False):
            if count:
                parts.append(box(x_of(edge) + 1, y_of(count), width, 170 - y_of(count), fill))
    parts.append(line(10, 170, NARROW - 10, 170, MUTED))
    parts += ticks(x_of, range(-4, 5), 188, signed)
    words = f"this study: t = {own:.2f}".replace("-", "\N{MINUS SIGN}")
    rest = f"blue: {far.sum()} of {len(drawn)} other dates show as much"
    parts.append(line(x_of(own), 10, x_of(own), 170, INK))
    parts.append(text(x_of(own) + 8, 18, words, INK, BOLD))
    parts.append(text(x_of(own) + 8, 36, f"calibrated p = {found.pvalue:.3f}"))
    parts.append(text(x_of(own) + 8, 54, rest, BLUE))
    title = f"Histogram of t on other dates. {words}, calibrated p = {found.pvalue:.3f}. {rest}."
    return drawing(title, 196, parts, NARROW)


def draw_market() -> str:
    """Return the days of an estimation window, the line fitted to them, and day 0."""
    study = bundled(f"event_id == '{SCATTERED}'")
    [fitted] = study.models().to_dict("records")
    [event] = study.events.to_dict("records")
    [car] = study.car((0, 0))["car"]
    prices = study.panel.prices.pivot(index="date", columns="symbol", values="adj_close")
    moves = prices[[event["benchmark"], event["ticker"]]].pct_change(fill_method=None)
    row = row_of(moves, event["day0"])
    estimation = es.StudyConfig().estimation
    days = moves.iloc[row + estimation.start : row + estimation.stop + 1]
    x_of = scale(-0.05, 0.05, 50, 390)
    y_of = scale(-0.13, 0.13, 320, 14)
    parts = []
    for tick in (-0.1, -0.05, 0, 0.05, 0.1):
        parts.append(text(44, y_of(tick) + 4, percent(tick), MUTED, 'text-anchor="end"'))
        parts.append(line(50, y_of(tick), 390, y_of(tick), PALE))
    parts += ticks(x_of, (-0.04, -0.02, 0, 0.02, 0.04), 338, percent)
    parts += [dot(x_of(market), y_of(share), BAR, r=3) for market, share in days.to_numpy()]
    market, share = moves.iloc[row]
    implied = fitted["alpha"] + fitted["beta"] * market
    ends = [(x, fitted["alpha"] + fitted["beta"] * x) for x in (-0.045, 0.045)]
    parts.append(curve([(x_of(x), y_of(y)) for x, y in ends], MUTED))
    parts.append(line(x_of(market), y_of(implied), x_of(market), y_of(share), INK))
    parts.append(dot(x_of(market), y_of(share), BLUE, r=6))
    name = f"{event['ticker']}, {event['day0']:%-d %B %Y}"
    words = f"abnormal return {percent(car)}"
    parts.append(text(x_of(market) + 12, y_of(share) + 4, name, BLUE))
    parts.append(text(x_of(market) + 12, (y_of(implied) + y_of(share)) / 2, words, INK, BOLD))
    beta = f"market model: slope {fitted['beta']:.2f}"
    parts.append(text(395, y_of(ends[1][1]) - 10, beta, INK, 'text-anchor="end"'))
    parts.append(text(0, 14, "share", MUTED))
    parts.append(text(NARROW, 354, "S&amp;P 500", MUTED, 'text-anchor="end"'))
    title = f"{len(days)} days of the estimation window, {beta}; {name}: {words}"
    return drawing(title, 360, parts, NARROW)


def draw_curve() -> str:
    """Return the effect under each combination of choices, and below it the choices."""
    grid = {"model": list(MODELS), "car": list(WINDOWS)}
    config = es.StudyConfig(prices="sample", calibrate=0)
    found = es.robustness(es.example(), grid, config=config).frame()
    rows: Any = found.sort_values("estimate").to_dict("records")
    x_of = scale(0, len(rows) - 1, 130, NARROW - 20)
    y_of = scale(min(row["ci_low"] for row in rows), max(row["ci_high"] for row in rows), 170, 20)
    parts = [line(110, y_of(0), NARROW, y_of(0), INK), text(0, y_of(0) + 4, "no effect")]
    for tick in (-0.01, -0.02):
        parts.append(text(0, y_of(tick) + 4, percent(tick), MUTED))
        parts.append(line(110, y_of(tick), NARROW, y_of(tick), PALE))
    names = {**MODELS, **{window: f"[{window.replace(':', ', ')}]" for window in WINDOWS}}
    levels = {name: 200 + 22 * level for level, name in enumerate(names)}
    parts += [text(0, y + 4, names[name], MUTED) for name, y in levels.items()]
    for number, row in enumerate(rows):
        x = x_of(number)
        color = BLUE if row["is_main"] else MUTED
        parts.append(line(x, y_of(row["ci_low"]), x, y_of(row["ci_high"]), color))
        is_clear = row["pvalue"] < 0.05
        parts.append(dot(x, y_of(row["estimate"]), color if is_clear else ON_BLUE, color))
        chosen = (row["model"], row["window"].strip("[]").replace(",", ":"))
        parts += [dot(x, y, color if name in chosen else PALE, r=3.5) for name, y in levels.items()]
        if row["is_main"]:
            parts.append(text(x, 14, "this study", BLUE, 'text-anchor="middle"'))
    n_clear = sum(row["pvalue"] < 0.05 for row in rows)
    lowest, highest = percent(rows[0]["estimate"]), percent(rows[-1]["estimate"])
    title = f"{len(rows)} specifications from {lowest} to {highest}; {n_clear} have p below 0.05"
    return drawing(title, 320, parts, NARROW)


PICTURES = {
    "day0": draw_day0,
    "windows": draw_windows,
    "halt": draw_halt,
    "limits": draw_limits,
    "calibration": draw_calibration,
    "market": draw_market,
    "curve": draw_curve,
}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (Path(sys.argv[1]) / f"{name}.svg").write_text(draw(), encoding="utf-8")
