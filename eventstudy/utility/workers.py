"""Where chunks of events are computed: here, in local processes, or on a Dask cluster."""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Sized
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar, Token
from functools import partial
from typing import Any, TypeVar

from ..errors import ConfigError, EventStudyError, how_to_install

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]

# Chunks that wait for each worker: enough to keep it busy, few enough to stay small.
AHEAD = 2
# A chunk whose worker dies so often in succession is what kills it.
PATIENCE = 3
SECONDS = 10


class WorkerError(EventStudyError):
    """A chunk killed the workers that were to compute it, again and again."""


class Workers(AbstractContextManager["Workers"]):
    """Who computes chunks of events; within ``with Workers(2):`` every fit uses them.

    Results are the same bits for any number of workers. One that dies loses nothing: what it had
    not given back is computed again.

    Parameters
    ----------
    count : int
        Processes of this machine; 1 is this process itself.
    cluster : str
        Address of a Dask scheduler, such as ``tcp://host:8786``, instead; "" = none.
    progress : callable, optional
        Called with (chunks done, chunks in all).

    Raises
    ------
    ConfigError
        If the cluster does not answer, or its workers have other versions.

    Notes
    -----
    A script that uses local workers needs ``if __name__ == "__main__":``, as for
    :mod:`multiprocessing`.
    """

    def __init__(self, count: int = 1, cluster: str = "", progress: Progress | None = None) -> None:
        if count < 1:
            raise ConfigError("at least one worker is needed", where="workers", value=count)
        if count > 1 and cluster:
            fault = "workers of a cluster are counted there"
            raise ConfigError(fault, where="workers", value=count)
        self.count, self.cluster, self.progress = count, cluster, progress
        self._pool: Executor | None = None
        self._shut: Callable[[], object] = int
        self._tokens: list[Token[Workers]] = []

    def __enter__(self) -> Workers:
        if self.cluster:
            self._open()
        self._tokens.append(_CURRENT.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        _CURRENT.reset(self._tokens.pop())
        self._close()

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield ``function(item)`` for each item, in their order; few are ahead of what is taken.

        Parameters
        ----------
        function : callable
        items : sequence

        Raises
        ------
        WorkerError
            If a chunk kills the workers that compute it.
        """
        is_local = len(items) == 1 or (self.count == 1 and not self.cluster)
        results = map(function, items) if is_local else self._mapped(function, items)
        for done, result in enumerate(results, 1):
            yield result
            if self.progress:
                self.progress(done, len(items))

    def threads(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[Result]:
        """Yield ``function(item)`` for each item, in their order, by threads of this process.

        For work of numpy on large arrays, which lets other threads run, and would take longer to
        send away.

        Parameters
        ----------
        function : callable
        items : sequence
        """
        if len(items) == 1 or self.count == 1 or self.cluster:
            yield from map(function, items)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self.count) as pool:
            waiting: deque[Future[Result]] = deque()
            for first in range(len(items)):
                for i in self._ahead(first, waiting, items):
                    # The item is made by the thread that needs it.
                    waiting.append(pool.submit(lambda i: function(items[i]), i))
                yield waiting.popleft().result()

    def _ahead(self, first: int, waiting: Sized, items: Sized) -> range:
        """Return the numbers of the items to be submitted while the item `first` is awaited."""
        return range(first + len(waiting), min(first + AHEAD * self.count, len(items)))

    def _mapped(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[Result]:
        waiting: deque[Future[Result]] = deque()
        first = deaths = 0
        while first < len(items):
            try:
                for i in self._ahead(first, waiting, items):
                    waiting.append(self._open().submit(function, items[i]))
                result = waiting[0].result()
            except BrokenExecutor:
                deaths += 1
                if deaths > PATIENCE:
                    fault = f"{deaths} workers died in succession over a chunk of events"
                    raise WorkerError(fault) from None
                self._close()
                waiting.clear()
                continue
            except Exception as error:
                if type(error).__name__ == "KilledWorker":
                    raise WorkerError(f"the cluster gave up: {error}") from None
                raise
            deaths = 0
            waiting.popleft()
            first += 1
            yield result

    def _open(self) -> Executor:
        if self._pool is None:
            if self.cluster:
                self._pool, self._shut, self.count = _cluster(self.cluster)
            else:
                self._pool = _processes(self.count)
                self._shut = partial(self._pool.shutdown, wait=False, cancel_futures=True)
        return self._pool

    def _close(self) -> None:
        if self._pool is not None:
            self._shut()
            self._pool = None


def current() -> Workers:
    """Return the workers of the innermost ``with Workers(...):``, by default this process."""
    return _CURRENT.get()


_CURRENT: ContextVar[Workers] = ContextVar("workers", default=Workers())  # noqa: B039 - holds no data


def _processes(count: int) -> Executor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    ways = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in ways else "spawn")
    return ProcessPoolExecutor(count, mp_context=context)


def _cluster(address: str) -> tuple[Executor, Callable[[], object], int]:
    """Return the executor of a cluster, its shutdown, and its number of workers."""
    try:
        from distributed import Client
    except ImportError:
        fault, remedy = "a cluster needs the package distributed", how_to_install("dask")
        raise ConfigError(fault, where="cluster", value=address, remedy=remedy) from None
    try:
        client: Any = Client(address, timeout=SECONDS, set_as_default=False)  # type: ignore[no-untyped-call,unused-ignore]
    except (OSError, ValueError) as error:
        fault = f"no scheduler answers: {error}"
        raise ConfigError(fault, where="cluster", value=address) from None
    _check(client, address)
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return client.get_executor(), client.close, max(1, len(workers))


def _check(client: Any, address: str) -> None:
    """Refuse a cluster whose workers would compute something else, or nothing."""
    local, problem = versions(), ""
    try:
        remote = client.run(versions)
    except Exception as error:
        problem = f"its workers cannot import eventstudy: {error}"
    else:
        if not remote:
            problem = "it has no workers"
        for name, theirs in remote.items():
            if theirs != local:
                other = [
                    f"{k} {theirs[k]} instead of {local[k]}" for k in local if theirs[k] != local[k]
                ]
                problem = f"worker {name} has {', '.join(other)}"
    if problem:
        with suppress(Exception):
            client.close()
        remedy = "install the same versions there"
        raise ConfigError(problem, where="cluster", value=address, remedy=remedy)


def versions() -> dict[str, str]:
    """Return the versions on which numbers depend."""
    from importlib.metadata import version

    from .version import __version__

    packages = {name: version(name) for name in ("numpy", "scipy", "statsmodels")}
    return {"python": platform.python_version(), "eventstudy": __version__, **packages}
