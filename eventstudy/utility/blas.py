"""One thread for matrix products: the last digits do not depend on the number of cores."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


_limited: list[bool] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """Return a context in which BLAS uses one thread.

    Several sum in another order, gain nothing on arrays as small as ours, and wait for one another
    on a busy machine. Inside such a context another one has nothing to do.
    """
    if _limited:
        yield
        return
    _limited.append(True)
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _limited.clear()


@functools.cache
def _controller() -> ThreadpoolController:
    """Return what knows the libraries that are loaded, scipy's own among them."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
