"""Seeded data for all tests; no network, no use of global random state, no folder of the user's."""

from __future__ import annotations

import gc
import itertools
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import seeds
from hypothesis import settings

from eventstudy.models import MODELS, LinearModel
from eventstudy.returns import ReturnsPanel
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.utility import FloatArray

if TYPE_CHECKING:
    from run_folders import Project

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
_STORES = itertools.count()

# No test depends on how fast the machine is, and without a seed each draws what it drew before.
settings.register_profile("fixed", deadline=None, max_examples=50, derandomize=True, database=None)
settings.register_profile(
    "watch", deadline=None, max_examples=50, derandomize=False, database=None, print_blob=True
)
settings.load_profile("fixed" if seeds.given() is None else "watch")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give hypothesis the seed of the environment."""
    if seeds.given() is not None and not config.getoption("hypothesis_seed", None):
        config.option.hypothesis_seed = str(seeds.given())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test of two places: `-m slow` would run what only the watch is to run."""
    for item in items:
        places = {mark.name for mark in item.iter_markers()} & {"slow", "watch", "live"}
        if len(places) > 1:
            raise pytest.UsageError(f"{item.nodeid}: {' and '.join(sorted(places))}")


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> None:
    """Let no collection of garbage walk through all that is loaded by now.

    statsmodels starts one at each correction for many tests, which took almost half of the time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _own_folders(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[None]:
    """Point the store and the caches away from the user's; calendars are kept for the whole
    session."""
    base = tmp_path_factory.getbasetemp().parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(base / "cache"))
        patch.setenv("XDG_DATA_HOME", str(base / "data"))
        patch.setenv("EVENTSTUDY_STORE", str(tmp_path_factory.mktemp("store") / "prices.sqlite"))
        if sys.dont_write_bytecode:
            # Else each process that a test starts compiles all that it imports.
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(pytestconfig.cache.mkdir("bytecode")))
        yield


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path_factory.getbasetemp() / f"store-{next(_STORES)}" / "prices.sqlite"
    monkeypatch.setenv("EVENTSTUDY_STORE", str(file))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


@pytest.fixture(autouse=True)
def _global_random_state() -> Iterator[None]:
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - guarded, not used
    yield
    assert (before == np.random.get_state()[1]).all(), (  # noqa: NPY002
        "a test or the code used numpy's global generator"
    )


FACTORS = ("mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf")
DONORS = tuple(f"D{i}" for i in range(5))
# Columns of the events that models beside the market model look for.
SERIES = {"industry": "IND", "match": "D0", "donors": ";".join(DONORS), "world": "WORLD"}


class Market:
    """A seeded market: n firms on business days, one factor, one event each on given dates.

    `frame` has the firms and the market; `wide` has the further series and factors as well.
    """

    def __init__(
        self,
        n: int = 12,
        *,
        seed: int = 1,
        days: int = 200,
        dates: int = 12,
        rho: float = 0.0,
        effect: float = 0.0,
    ) -> None:
        rng = np.random.default_rng(seed)
        index = pd.bdate_range("2020-01-01", periods=days)
        mkt = rng.standard_normal(days) * 0.01
        common = rng.standard_normal(days)
        noise = np.sqrt(rho) * common[:, None] + np.sqrt(1 - rho) * rng.standard_normal((days, n))
        beta, sigma = rng.normal(1, 0.3, n), rng.uniform(0.01, 0.03, n)
        values = 0.0002 + mkt[:, None] * beta + noise * sigma
        at = rng.permutation(np.arange(150, 185))[:dates][np.arange(n) % dates]
        values[at, np.arange(n)] += effect
        self.tickers = [f"F{i:02d}" for i in range(n)]
        self.frame = pd.DataFrame(values, index=index, columns=self.tickers).assign(MKT=mkt)
        self.table = pd.DataFrame({
            "event_id": [f"e{i}" for i in range(n)], "ticker": self.tickers,
            "announced_at": index[at].strftime("%Y-%m-%d"), "tz": "", "exchange": "",
            "benchmark": "MKT",
            "day0": index[at], "flags": "",
        })  # fmt: skip
        self.others = _others(np.random.default_rng(seed + 1000), mkt, index)

    @property
    def wide(self) -> pd.DataFrame:
        """The returns of firms, market, further series and factors."""
        return self.frame.join(self.others)

    def fit(
        self,
        frame: pd.DataFrame | None = None,
        model: str | LinearModel = "market",
        **options: object,
    ) -> EventStudyResults:
        """Fit a model; `frame` may lack the further series, and they are then as in `wide`."""
        from eventstudy.events import Events

        frame = self.frame if frame is None else frame
        table = self.table
        if model not in PLAIN:
            frame = frame.join(self.others.drop(columns=frame.columns, errors="ignore"))
            needs = {f.name for f in (MODELS[model]() if isinstance(model, str) else model).factors}
            table = table.assign(
                **{n: own for n, own in SERIES.items() if n in needs and n not in table}
            )
            options = {"factors": frame[list(FACTORS)], **options}
        events = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
        panel = ReturnsPanel.from_frame(frame)
        settings = {"estimation": (-120, -11), "event": (-5, 5), "model": model, **options}
        return EventStudy(events, panel, **settings).fit()  # type: ignore[arg-type]


def short_histories(n: int = 12, short: int = 2, lacking: int = 0) -> EventStudyResults:
    """Return a study whose first firms were listed 21 or 59 complete estimation days ago.

    The last firms, as many as are `lacking`, have no return on day 0.
    """
    market = Market(n=n, seed=3, effect=-0.03)
    frame = market.frame.copy()
    at = frame.index.get_indexer(market.table["day0"])
    for i, days in zip(range(short), (21, 59) * n, strict=False):
        frame.iloc[: at[i] - 10 - days, i] = np.nan
    for i in range(n - lacking, n):
        frame.iloc[at[i], i] = np.nan
    return market.fit(frame)


# Models that need no more than the market.
PLAIN = ("market", "market_adjusted", "constant_mean")


def _others(rng: np.random.Generator, mkt: FloatArray, index: pd.DatetimeIndex) -> pd.DataFrame:
    """Return a world index, an industry, donors and factors that all move with the market."""
    names = ("WORLD", "IND", *DONORS, *FACTORS)
    own = rng.standard_normal((len(mkt), len(names))) * 0.008
    frame = pd.DataFrame(
        own + mkt[:, None] * rng.uniform(0.2, 1, len(names)), index=index, columns=names
    )
    return frame.assign(rf=rng.uniform(0.00005, 0.00015, len(mkt)))


@pytest.fixture(scope="session")
def market() -> Market:
    """Twelve dispersed events."""
    return Market()


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a finished run; `copied` before it is changed."""
    from run_folders import Project

    made = Project(tmp_path_factory.mktemp("studied"))
    made.study()
    return made


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose run a refresh has written; `copied` before it is changed."""
    from run_folders import Project

    made = Project(tmp_path_factory.mktemp("settled"))
    made.refresh()
    return made


@pytest.fixture(params=list(MODELS))
def model_name(request: pytest.FixtureRequest) -> str:
    """Return each registered model in turn."""
    return str(request.param)
