"""Seeded data for all tests; no network, no use of global random state, no folder of the user's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.models import MODELS
from eventstudy.results import EventStudyResults
from eventstudy.returns import ReturnsPanel
from eventstudy.study import EventStudy

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the store and the caches away from the user's; calendars are kept for the whole session."""
    base = tmp_path_factory.getbasetemp().parent
    monkeypatch.setenv("XDG_CACHE_HOME", str(base / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(base / "data"))
    monkeypatch.setenv("EVENTSTUDY_STORE", str(tmp_path_factory.mktemp("store") / "prices.sqlite"))


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
    assert (before == np.random.get_state()[1]).all(), "a test or the code used numpy's global generator"  # noqa: NPY002


class Market:
    """A seeded market: n firms on business days, one factor, one event each on given dates."""

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
            "announced_at": index[at].strftime("%Y-%m-%d"), "tz": "", "exchange": "", "benchmark": "MKT",
            "day0": index[at], "flags": "",
        })  # fmt: skip

    def fit(
        self, frame: pd.DataFrame | None = None, model: str = "market", **options: object
    ) -> EventStudyResults:
        from eventstudy.events import Events

        events = Events(table=self.table, source="frame", sha256="", columns_in=tuple(self.table.columns))
        panel = ReturnsPanel.from_frame(self.frame if frame is None else frame)
        settings = {"estimation": (-120, -11), "event": (-5, 5), "model": model, **options}
        return EventStudy(events, panel, **settings).fit()  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def market() -> Market:
    """Twelve dispersed events."""
    return Market()


@pytest.fixture(params=list(MODELS))
def model_name(request: pytest.FixtureRequest) -> str:
    """Return each registered model in turn."""
    return str(request.param)
