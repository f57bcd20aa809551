"""Draw the time line of day 0 and the windows of a study for the manual.

    python tools/make_manual_pictures.py docs/_static

The manual puts the drawings into its pages, so their colours are those of its theme, light or dark.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

import eventstudy as es

INK = "var(--color-foreground-primary, #1a1e22)"
MUTED = "var(--color-foreground-secondary, #565c63)"
PALE = "var(--color-background-border, #e4e2dc)"
BLUE = "var(--color-brand-primary, #0b5394)"
ON_BLUE = "var(--color-background-primary, #ffffff)"
WIDTH = 720
# News after the close of New York on a share of Hong Kong, in the zone of each.
NEWS = datetime(2018, 4, 16, 16, 30, tzinfo=ZoneInfo("America/New_York"))
SHARE = "0763.HK"
SESSIONS = (
    ("New York", "America/New_York", (16, 17)),
    ("Hong Kong", "Asia/Hong_Kong", (16, 17)),
)
FIRST, LAST = datetime(2018, 4, 16, 0, tzinfo=ZoneInfo("UTC")), 46.0
LEFT = 90


def text(x: float, y: float, words: str, fill: str = INK, extra: str = "") -> str:
    """Return words whose line begins at a point."""
    return f'<text x="{x:.0f}" y="{y:.0f}" style="fill:{fill}" {extra}>{words}</text>'


def box(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a filled rectangle."""
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="fill:{fill}"/>'
    )


def line(x: float, y: float, x_end: float, y_end: float, stroke: str) -> str:
    """Return a straight line."""
    style = f"stroke:{stroke};stroke-width:1.5"
    return f'<path d="M{x:.0f} {y:.0f}L{x_end:.0f} {y_end:.0f}" style="{style}"/>'


def drawing(title: str, height: int, parts: list[str]) -> str:
    """Return an SVG that a reader of screens can name."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
    body = "\n".join(parts)
    return f'<div class="drawn" tabindex="0">{head} aria-label="{title}">\n{body}\n</svg></div>\n'


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
                parts.append(text(x, top + 48, "day 0", BLUE, 'font-weight="600"'))
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


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "day0.svg").write_text(draw_day0(), encoding="utf-8")
    (folder / "windows.svg").write_text(draw_windows(), encoding="utf-8")
