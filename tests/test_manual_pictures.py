"""The drawings of the manual are what their program draws, with the days that ours finds."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest
from conftest import ROOT

STATIC = ROOT / "docs" / "_static"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    path = ROOT / "tools" / "make_manual_pictures.py"
    spec = importlib.util.spec_from_file_location("manual_pictures", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_drawings_are_up_to_date(maker: ModuleType) -> None:
    """`python tools/make_manual_pictures.py docs/_static` draws them anew."""
    assert (STATIC / "day0.svg").read_text(encoding="utf-8") == maker.draw_day0()
    assert (STATIC / "windows.svg").read_text(encoding="utf-8") == maker.draw_windows()


def test_day_0_is_marked_once_and_the_news_is_before_it(maker: ModuleType) -> None:
    picture = maker.draw_day0()
    assert picture.count(">day 0<") == 1
    marked = re.findall(r'<rect x="(\d+)"[^>]*brand-primary', picture)
    assert [maker.place(maker.NEWS) < float(x) for x in marked] == [True]
