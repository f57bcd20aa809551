"""The drawings of the manual are what their program draws, with the days that ours finds."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest
from conftest import ROOT

STATIC = ROOT / "docs" / "_static"
# Those of the bundled list take seconds.
DRAWN = ["day0", "windows"] + [
    pytest.param(name, marks=pytest.mark.slow)
    for name in ("halt", "limits", "calibration", "market", "curve")
]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    path = ROOT / "tools" / "make_manual_pictures.py"
    spec = importlib.util.spec_from_file_location("manual_pictures", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_are_up_to_date(maker: ModuleType, name: str) -> None:
    """`python tools/make_manual_pictures.py docs/_static` draws them anew."""
    kept = (STATIC / f"{name}.svg").read_text(encoding="utf-8")
    assert kept == maker.PICTURES[name]()


def test_each_drawing_is_on_a_page_and_can_be_read_aloud(maker: ModuleType) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    for name in maker.PICTURES:
        assert f"_static/{name}.svg\n" in pages
        kept = (STATIC / f"{name}.svg").read_text(encoding="utf-8")
        assert re.search(r'role="img" aria-label="[^"]{40,}"', kept)


def test_day_0_is_marked_once_and_the_news_is_before_it(maker: ModuleType) -> None:
    picture = maker.draw_day0()
    assert picture.count(">day 0<") == 1
    marked = re.findall(r'<rect x="(\d+)"[^>]*brand-primary', picture)
    assert [maker.place(maker.NEWS) < float(x) for x in marked] == [True]
