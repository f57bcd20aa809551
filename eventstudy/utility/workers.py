"""Where chunks of events are computed: here in one thread, in processes, by any executor."""

from __future__ import annotations

import functools
import hashlib
import logging
import platform
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Sized
from concurrent import futures
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar, Token
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigError, EventStudyError, how_to_install
from ..words import make_error
from .progress import advance, note

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


Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]

# Chunks that wait for each worker: enough to keep it busy, few enough to stay small.
AHEAD = 2
# A chunk whose worker dies so often in succession is what kills it.
PATIENCE = 3
# Seconds to wait for an answer of a cluster, and for its end.
SECONDS = 10
CLOSING = 3


class WorkerError(EventStudyError):
    """A chunk killed the workers that were to compute it, again and again."""


class ClusterError(EventStudyError):
    """A cluster does not answer: try again later."""

    exit_code = 75


class Workers(AbstractContextManager["Workers"]):
    """Who computes chunks of events; within ``with Workers(2):`` every fit uses them.

    Results are the same bits for any number of workers. One that dies loses nothing: what it had
    not given back is computed again. If a cluster is lost, the rest is computed here.

    Parameters
    ----------
    count : int
        Processes of this machine; 1 is this process itself.
    cluster : str
        Address of a Dask scheduler, such as ``tcp://host:8786``, instead; "" = none.
    progress : callable, optional
        Called with (chunks done, chunks in all).
    executor : Executor, optional
        What computes instead, such as one of Ray, MPI or joblib that has ``submit``; `count` is
        the number of its workers. It is not shut down.

    Attributes
    ----------
    lost : str
        Why the cluster or the executor was lost; "" if it was not.

    Raises
    ------
    ConfigError
        If the workers have other versions, or the address is none.
    ClusterError
        If the cluster does not answer.

    Notes
    -----
    A script that uses local workers needs ``if __name__ == "__main__":``, as for
    :mod:`multiprocessing`.
    """

    def __init__(
        self, count: int = 1, cluster: str = "", progress: Progress | None = None,
        executor: futures.Executor | None = None,
    ) -> None:  # fmt: skip
        if count < 1:
            raise ConfigError("at least one worker is needed", where="workers", value=count)
        self.executor = executor
        self.lost = ""
        if count > 1 and cluster:
            raise make_error(ConfigError, "workers.counted", where="workers", value=count)
        self.count = count
        self.cluster = cluster
        self.progress = progress
        self._pool: futures.Executor | None = None
        self._shut: Callable[[], object] = lambda: None
        self._has_workers: Callable[[], bool] = lambda: False
        self._tokens: list[Token[Workers]] = []

    def __enter__(self) -> Workers:
        if self.is_foreign:
            self._open()
        self._tokens.append(_CURRENT.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        _CURRENT.reset(self._tokens.pop())
        self._close()

    @property
    def is_foreign(self) -> bool:
        """Whether a cluster or an executor computes that may be lost."""
        return not self.lost and bool(self.cluster or self.executor)

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
        is_local = len(items) == 1 or (self.count == 1 and not self.is_foreign)
        results = map(function, items) if is_local else self._mapped(function, items)
        for done, result in enumerate(results, 1):
            yield result
            if self.progress:
                self.progress(done, len(items))
            advance(done, len(items))

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
        if len(items) == 1 or self.count == 1 or self.is_foreign:
            yield from map(function, items)
            return

        with futures.ThreadPoolExecutor(self.count) as pool:
            waiting: deque[futures.Future[Result]] = deque()
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
        waiting: deque[futures.Future[Result]] = deque()
        first = deaths = 0
        while first < len(items):
            try:
                for i in self._ahead(first, waiting, items):
                    waiting.append(self._open().submit(function, items[i]))
                result = self._awaited(waiting[0])
            except Exception as error:
                if type(error).__name__ == "KilledWorker":
                    raise WorkerError(f"the cluster gave up: {error}") from None
                if self.is_foreign:
                    # What is wrong with the work itself is raised here again.
                    self._lose(error)
                    yield from (function(items[i]) for i in range(first, len(items)))
                    return
                if not isinstance(error, futures.BrokenExecutor):
                    raise
                deaths += 1
                if deaths > PATIENCE:
                    raise make_error(WorkerError, "workers.died", n=deaths) from None
                self._close()
                waiting.clear()
                continue
            deaths = 0
            waiting.popleft()
            first += 1
            yield result

    def _awaited(self, future: futures.Future[Result]) -> Result:
        """Return a result; ClusterError if a cluster has no workers any more, for two looks."""
        absences = 0
        while self.cluster and not futures.wait([future], SECONDS).done:
            absences = 0 if self._has_workers() else absences + 1
            if absences > 1:
                raise ClusterError("all its workers are gone", where="cluster")
        return future.result()

    def _lose(self, error: Exception) -> None:
        """Go on without the cluster or the executor."""
        self._close()
        self.lost = f"{type(error).__name__} {error}".strip()
        self.count = 1
        note("cluster_lost", "warning", text=self.lost)

    def _open(self) -> futures.Executor:
        if self._pool is None:
            if self.executor:
                self._pool = self.executor
                _refuse_others({"": self._pool.submit(versions).result()}, "executor", "")
            elif self.cluster:
                self._pool, self._shut, self._has_workers, self.count = _cluster(self.cluster)
            else:
                self._pool = _processes(self.count)
                self._shut = partial(self._pool.shutdown, wait=False, cancel_futures=True)
        return self._pool

    def _close(self) -> None:
        if self._pool is not None:
            with suppress(Exception):
                self._shut()
            self._pool = None


def current() -> Workers:
    """Return the workers of the innermost ``with Workers(...):``, by default this process."""
    return _CURRENT.get()


_CURRENT: ContextVar[Workers] = ContextVar("workers", default=Workers())  # noqa: B039 - holds no data


def _processes(count: int) -> futures.Executor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    ways = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in ways else "spawn")
    return ProcessPoolExecutor(count, mp_context=context)


def _cluster(
    address: str,
) -> tuple[futures.Executor, Callable[[], object], Callable[[], bool], int]:
    """Return the executor of a cluster, its shutdown, whether it has workers, and their number."""
    place: Any = {"where": "cluster", "value": address}
    try:
        from distributed import Client
    except ImportError:
        place["remedy"] = how_to_install("distributed")
        raise make_error(ConfigError, "workers.no_distributed", **place) from None
    logger = logging.getLogger("distributed")
    logger.setLevel(logging.CRITICAL + 1)  # it logs tracebacks of a cluster that is lost
    try:
        client: Any = Client(address, timeout=SECONDS, set_as_default=False)  # type: ignore[no-untyped-call,unused-ignore]
        _refuse_others(client.run(versions), "cluster", address)
    except EventStudyError:
        client.close(CLOSING)
        raise
    except (OSError, futures.CancelledError) as error:
        raise ClusterError(f"no scheduler answers: {error}", **place) from None
    except Exception as error:  # also what a worker could not import, which has no type of its own
        why = str(error).partition("\n")[0]
        raise ConfigError(f"its workers cannot be used: {why}", **place) from None

    def has_workers() -> bool:
        return bool(client.scheduler_info(n_workers=-1)["workers"])

    workers = client.scheduler_info(n_workers=-1)["workers"]
    shut = partial(client.close, CLOSING)
    # Each chunk is a task of its own: two that look alike to dask may be of other events.
    return client.get_executor(pure=False), shut, has_workers, max(1, len(workers))


def _refuse_others(remote: dict[str, dict[str, str]], where: str, address: str) -> None:
    """Refuse workers that would compute something else, or none."""
    local = versions()
    problem = "" if remote else "it has no workers"
    for name, theirs in remote.items():
        pairs = [(k, theirs.get(k), v) for k, v in local.items() if theirs.get(k) != v]
        if pairs:
            faults = [f"{k} {version} instead of {v}" for k, version, v in pairs]
            problem = f"worker {name} has {', '.join(faults)}"
    if problem:
        place: Any = {"where": where, "value": address or None}
        raise make_error(ConfigError, "workers.differ", problem=problem, **place)


def versions() -> dict[str, str]:
    """Return the versions on which numbers depend; our own by the content of its files."""
    from importlib.metadata import PackageNotFoundError, version

    packages = dict.fromkeys(("numpy", "pandas", "scipy", "statsmodels", "arch"), "none")
    for name in packages:
        with suppress(PackageNotFoundError):
            packages[name] = version(name)
    return {"python": platform.python_version(), "eventstudy": _content(), **packages}


@cache
def _content() -> str:
    """Return a hash of all that the package is made of, but for the name of its version."""
    folder = Path(__file__).parents[1]
    content = hashlib.sha256()
    files = (path for path in folder.rglob("*") if path.suffix in (".py", ".toml", ".csv", ".gz"))
    for file in sorted(files):
        if file.name == "_version.py":  # a build writes it anew
            continue
        content.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return content.hexdigest()[:12]
