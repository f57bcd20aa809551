"""All price sources, by name: each registers its own when it is imported."""

from __future__ import annotations

# ``_registered.ORDER`` is the order that users see; a source that is not in it comes last.
from . import auto, described, eodhd, moex, paths, sample, store, tiingo, yahoo  # noqa: F401
from ._registered import REGISTERED

SOURCES = REGISTERED
