"""Work for other processes, which import this file: it kills them."""

from __future__ import annotations

import os
from pathlib import Path


def doubled(item: tuple[int, Path]) -> int:
    """Die once: the first time that the third item is asked for."""
    number, flag = item
    if number == 3 and not flag.exists():
        flag.touch()
        os._exit(1)
    return 2 * number


def deadly(item: int) -> int:
    """Die, with this exit code."""
    os._exit(item)
