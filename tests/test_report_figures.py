"""Figures: their numbers, their bytes, and that a strict page may hold them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from conftest import Market
from pages import page, with_columns

from eventstudy.report.figures import labels
from eventstudy.report.figures import svg_canvas as canvas
from eventstudy.studies import EventStudyResults


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


def drawn(figure: str) -> ET.Element:
    return ET.fromstring(figure)


def tips(figure: str) -> list[str]:
    """Return what a figure shows to those who point at it."""
    return [title.text or "" for title in drawn(figure).iterfind("rect/title")]


def places(figure: str, kind: str) -> list[tuple[float, float]]:
    """Return the points of the paths of a class, in pixels."""
    paths = drawn(figure).iterfind(f"path[@class='{kind}']")
    pairs = (re.findall(r"[ML]?(-?[\d.]+) (-?[\d.]+)", path.get("d", "")) for path in paths)
    return [(float(x), float(y)) for pair in pairs for x, y in pair]


@pytest.fixture(scope="module")
def holed() -> EventStudyResults:
    """Twelve events, of which one lacks its last day and two all days from day +2 on."""
    market = Market(12, seed=5)
    frame = market.frame.copy()
    days = [frame.index.get_loc(day) for day in market.table["day0"]]
    for i, (first, stop) in enumerate([(5, 6), (2, 6), (2, 6)]):
        frame.iloc[days[i] + first : days[i] + stop, i] = np.nan
    return market.fit(frame)


def one_event(*missing: int) -> EventStudyResults:
    """Return one event whose prices lack some event days."""
    market = Market(1, dates=1)
    frame = market.frame.copy()
    zero = frame.index.get_loc(market.table["day0"][0])
    frame.iloc[[zero + t for t in missing], 0] = np.nan
    return market.fit(frame)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(-39.5, 16.5, [-30, -20, -10, 0, 10]), (-37, 6, [-30, -20, -10, 0, 10]), (-37, 1, [-30, -20, -10, 0]),
     (0, 9, [0, 2, 4, 6, 8]), (16.2, 19.1, [16.5, 17, 17.5, 18, 18.5, 19])],
)  # fmt: skip
def test_axes_have_three_to_six_ticks_and_one_on_each_side_that_values_reach(
    low: float, high: float, shown: list[float]
) -> None:
    most = 6 if low > 9 else 5
    ends = canvas.sided(low, high, most)
    assert [t for t, _ in canvas.ticks(*ends, most, canvas.signed_label)] == shown


def test_names_of_points_are_clear_of_each_other_and_of_points() -> None:
    points = [(250.0, 150.0), (258.0, 170.0), (496.0, 40.0)]
    dots = [labels.Box(x - 7, x + 7, y - 7, y + 7) for x, y in points]
    names = [(name, x, y) for name, (x, y) in zip("abc", points, strict=True)]
    placed = labels.place_names(names, dots, labels.Box(0, 500, 0, 300))
    boxes = [labels.Box(x, x + 7, y - 11, y + 4) for _, x, y in placed]
    assert [i for i, _, _ in placed] == [0, 1, 2]
    assert not any(a.meets(b) for i, a in enumerate(boxes) for b in [*boxes[:i], *dots])
    assert all(box.start >= 0 and box.stop <= 500 for box in boxes)


@pytest.mark.slow
def test_ids_differ_between_figures_of_a_page(split: EventStudyResults) -> None:
    ids = re.findall(r' id="([^"]+)"', page(split, "direction"))
    assert len(ids) == len(set(ids))
