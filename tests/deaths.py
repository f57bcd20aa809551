"""Work for other processes, which import this file or run it: it kills them."""

from __future__ import annotations

import os
import signal
import sys
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


def die_at(event: str, text: str) -> None:
    """Have SIGKILL end this process when Python reports that it is about to do something to a
    file."""

    def watch(name: str, args: tuple[object, ...]) -> None:
        if name == event and text in str(args):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    from eventstudy.cli.main import main

    die_at(*sys.argv[1:3])
    main(sys.argv[3:])
