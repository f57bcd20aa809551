"""Libraries that load when something of them is first used: commands without need start faster."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["np", "pd", "sqlite3"]

if TYPE_CHECKING:
    import sqlite3

    import numpy as np
    import pandas as pd
else:

    class _Lazy:
        """Has what the library of that name has."""

        def __init__(self, name: str) -> None:
            self.__name__ = name

        def __getattr__(self, name: str) -> Any:
            member = getattr(import_module(self.__name__), name)
            setattr(self, name, member)
            return member

    np, pd, sqlite3 = map(_Lazy, ("numpy", "pandas", "sqlite3"))
