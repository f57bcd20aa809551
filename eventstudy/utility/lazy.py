"""Heavy modules, imported when the first of their names is used: help and lists wait for none."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    import numpy as np
    import pandas as pd

__all__ = ["np", "pd", "sqlite3"]


class _Module:
    """What stands for a module: every name is looked up in it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


if not TYPE_CHECKING:
    np, pd, sqlite3 = map(_Module, ("numpy", "pandas", "sqlite3"))
