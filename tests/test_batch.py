"""All events at once: the same numbers as one by one, pair by pair and day by day."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import trustme
from conftest import ROOT, Market
from deaths import deadly, doubled
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from run_folders import Project, started
from scipy.stats import rankdata

from eventstudy.abnormal import AbnormalReturns, Estimates
from eventstudy.calendars import Window
from eventstudy.dependence import Limits, WeightedSums
from eventstudy.dependence.loadings import loadings_on
from eventstudy.dependence.pair_sums import by_pair
from eventstudy.dependence.pairs import (
    correlations,
    mean_common_sessions,
    residual_correlation,
    residuals_on,
)
from eventstudy.dependence.session_sums import by_session
from eventstudy.errors import ConfigError
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.significance.ranks import scaled_ranks
from eventstudy.studies import EventStudy
from eventstudy.utility import Workers, chunks
from eventstudy.utility.workers import ClusterError, WorkerError, _refuse_others, versions
from eventstudy.windows import EventWindows, build_windows, covers
from eventstudy.windows.alignment import Joint, jointly
from eventstudy.windows.event_windows import BY_EVENT

FLOOR = Path(__file__).parents[1] / "benchmarks" / "floor.py"
WINDOWS = (Window(0, 0), Window(-2, 2), Window(-5, 5))
ARRAYS = [own.name for own in fields(Estimates) if str(own.type).endswith("Array")]
Array = NDArray[np.float64]


def floor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("floor", FLOOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def windows_of(drawn: object, module: ModuleType, *, kept: bool = True) -> EventWindows:
    panel, n = drawn.panel, len(drawn.firm)  # type: ignore[attr-defined]
    return build_windows(
        panel, calendars=["data"] * n, day0=panel.sessions[drawn.day0], rows=drawn.firm,
        # type: ignore[attr-defined]
        factor_rows=np.full((n, 1), len(panel.values) - 1), estimation=Window(*module.ESTIMATION),
        event=Window(*module.EVENT), keep_days=kept,
    )  # fmt: skip


@pytest.mark.parametrize("engine", ["batch", "statsmodels"])
def test_many_events_with_holes_are_what_plain_numpy_makes_of_them(engine: str) -> None:
    """More events than a chunk holds; the other program sums over days without the library."""
    module = floor()
    drawn = module.draw(1203, firms=40, sessions=700)
    fit = MODELS["market"]().fit(windows_of(drawn, module), engine=engine)  # type: ignore[arg-type]
    expected = module.floor(drawn, (-1, 1))
    found = [STATISTICS[name](fit, Window(-1, 1)).statistic for name in ("patell", "bmp")]
    assert found == pytest.approx(expected, rel=1e-9)


def test_an_event_has_the_same_bits_in_any_company() -> None:
    module = floor()
    drawn = module.draw(1203, firms=40, sessions=700)
    own = module.Drawn(drawn.values, drawn.firm[700:703], drawn.day0[700:703])
    model = MODELS["market"]()
    many, few = (model.fit(windows_of(d, module), engine="batch") for d in (drawn, own))
    for name in ARRAYS:
        np.testing.assert_array_equal(
            getattr(many, name)[700:703], getattr(few, name), err_msg=name
        )


@pytest.mark.slow
def test_estimation_days_that_are_not_kept_come_back_bit_by_bit() -> None:
    """With holes, masked days, and every test of a sample of many events."""
    module = floor()
    drawn = module.draw(1203, firms=40, sessions=700)
    mask = np.random.default_rng(4).random((1203, 250)) < 0.05
    model, window = MODELS["market"](), Window(-1, 1)
    kept, lean = (
        model.fit(windows_of(drawn, module, kept=k).without(mask), engine="batch")
        for k in (True, False)
    )
    assert lean.study.x_estimation is None
    assert "returns" not in lean.windows.__dict__
    tests = {name: own for name, own in STATISTICS.items() if not own.per_event}
    found = [[own(fit, window).statistic for own in tests.values()] for fit in (kept, lean)]
    np.testing.assert_array_equal(*found)
    assert len({mean_common_sessions(fit) for fit in (kept, lean)}) == 1
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(kept, name), getattr(lean, name), err_msg=name)
    for name in BY_EVENT:
        np.testing.assert_array_equal(
            getattr(kept.windows, name), getattr(lean.windows, name), err_msg=name
        )
    assert (lean.windows.masked > 0).any()


def test_a_study_of_many_is_the_one_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks of repeated firms, halts and limits are the same whether days are kept or not."""
    kept = delayed(60)
    monkeypatch.setattr("eventstudy.fitting.fit.KEPT", 10)
    lean = delayed(60)
    assert not lean.windows.keeps_days
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(kept, name), getattr(lean, name), err_msg=name)
    for window in WINDOWS:
        np.testing.assert_array_equal(kept.car(window), lean.car(window))


def test_closes_at_a_limit_are_joined_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = delayed(60).runs
    monkeypatch.setattr("eventstudy.fitting.layout.chunks", partial(chunks, size=7))
    parts = delayed(60).runs
    assert whole is not None
    assert parts is not None
    assert whole.at_limit.any(axis=1).sum() > 7
    for own in fields(whole):
        np.testing.assert_array_equal(
            getattr(whole, own.name), getattr(parts, own.name), err_msg=own.name
        )


@pytest.mark.slow
def test_tables_by_event_never_ask_for_all_days(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market(n=1100, dates=30)
    kept = market.fit(engine="batch")
    monkeypatch.setattr("eventstudy.fitting.fit.KEPT", 10)
    monkeypatch.setattr("eventstudy.abnormal.abnormal_returns.KEPT", 10)
    monkeypatch.setattr("eventstudy.windows.event_windows.HOLDABLE", 600)
    lean = market.fit(engine="batch")
    for table in ("abnormal_returns", "diagnostics", "car", "models"):
        pd.testing.assert_frame_equal(
            getattr(kept, table)(), getattr(lean, table)(), check_exact=True
        )
    pd.testing.assert_frame_equal(kept.abhar((0, 1)), lean.abhar((0, 1)), check_exact=True)
    assert kept.regression("e1077").rsquared == lean.regression("e1077").rsquared
    assert "returns" not in lean.abnormal.windows.__dict__


def test_days_are_left_out_where_some_were_laid_out_already() -> None:
    module = floor()
    lean = windows_of(module.draw(40, firms=9, sessions=700), module, kept=False)
    assert np.isfinite(lean.returns[:, 3]).any()
    assert np.isnan(lean.without(np.eye(40, 250, dtype=bool)).returns[range(40), range(40)]).all()


def test_what_needs_all_days_of_too_many_events_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module = floor()
    drawn = module.draw(2203, firms=40, sessions=700)
    fit = MODELS["market"]().fit(windows_of(drawn, module, kept=False), engine="batch")
    monkeypatch.setattr("eventstudy.windows.event_windows.HOLDABLE", 1000)
    found = STATISTICS["brown_forsythe"](fit, Window(0, 0))
    assert np.isnan(found.statistic)
    assert "at once; at most 1,000 fit in memory" in found.reason
    assert np.isfinite(STATISTICS["corrado"](fit, Window(0, 0)).statistic)


def test_most_of_many_events_have_the_sums_of_all_less_those_of_the_rest() -> None:
    """The same as if the others had never been there."""
    module = floor()
    drawn = module.draw(2603, firms=40, sessions=700)
    model, window = MODELS["market"](), Window(-1, 1)
    windows = windows_of(drawn, module, kept=False)
    fit = model.fit(windows, engine="batch")
    sample = fit.sample(window)
    assert sample.left_out is not None
    apart = model.fit(windows.take(fit.valid(window)), engine="batch")
    assert apart.sample(window) is apart
    for name in ("bmp_kp", "corrado", "corrado_zivney_sign", "rank_variance", "cda", "grank_t"):
        found = [STATISTICS[name](own, window).statistic for own in (fit, apart)]
        assert found[0] == pytest.approx(found[1], rel=1e-10, abs=1e-12), name


def test_events_that_are_taken_twice_count_twice() -> None:
    """As resampling does: no sums of all less those of the rest."""
    module = floor()
    drawn = module.draw(2603, firms=40, sessions=700)
    fit, window = (
        MODELS["market"]().fit(windows_of(drawn, module, kept=False), engine="batch"),
        Window(-1, 1),
    )
    rows = np.random.default_rng(1).integers(0, 2603, 2603)
    again = module.Drawn(drawn.values, drawn.firm[rows], drawn.day0[rows])
    other = MODELS["market"]().fit(windows_of(again, module, kept=False), engine="batch")
    for name in ("corrado", "grank_t", "bmp_kp", "generalized_sign", "cda"):
        found = [STATISTICS[name](own, window).statistic for own in (fit.take(rows), other)]
        assert found[0] == pytest.approx(found[1], rel=1e-10), name


def test_what_depends_on_conventions_does_not_outlive_them() -> None:
    a = delayed()
    asked = a.caar, a.complete, a.unextended
    other = a.under(missing="zero")
    assert other.unextended.conventions.missing == "zero"
    assert other.unextended is not asked[2]
    np.testing.assert_array_equal(other.caar, delayed().under(missing="zero").caar)


@pytest.mark.slow
def test_threads_give_the_same_bits() -> None:
    module = floor()
    drawn = module.draw(2603, firms=40, sessions=700)

    def found() -> list[float]:
        fit = MODELS["market"]().fit(windows_of(drawn, module, kept=False), engine="batch")
        return [own(fit, Window(-1, 1)).statistic for own in STATISTICS.values() if own.core]

    one = found()
    with Workers(2):
        assert found() == one
    with Workers(3):
        assert found() == one


series = st.lists(st.integers(0, 4), min_size=7, max_size=7)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(st.tuples(series, series, series), min_size=1, max_size=4), st.booleans())
def test_returns_over_several_sessions_are_joined_as_one_by_one(
    rows: list[object], log: bool
) -> None:
    spans, one, other = (np.array(own) for own in zip(*rows, strict=True))
    factor_spans = np.stack([one, other], axis=2)
    rng = np.random.default_rng(1)
    returns = np.where(spans > 0, rng.normal(0, 0.1, spans.shape), np.nan)
    factors = np.where(factor_spans > 0, rng.normal(0, 0.1, factor_spans.shape), np.nan)
    found = jointly(Joint(returns, spans, spans * 2, factors), factor_spans, log=log)
    for i in range(len(spans)):
        expected = singly(returns[i], spans[i], spans[i] * 2, factors[i], factor_spans[i], log)
        for own, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(own[i], theirs, rtol=1e-12, atol=1e-15)


def singly(
    returns: Array, spans: Array, length: Array, factors: Array, factor_spans: Array, log: bool
) -> tuple[Array, ...]:
    """One event, day by day."""
    out, sums = np.full(len(returns), np.nan), np.full(factors.shape, np.nan)
    joint, sessions, last = np.zeros(len(returns)), np.zeros(len(returns)), -1
    for t in range(len(returns)):
        if spans[t] == 0 or (factor_spans[t] == 0).any():
            continue
        first = t if spans[t] == 1 and (factor_spans[t] == 1).all() else last + 1
        run = slice(first, t + 1)
        if covers(spans[run]) and all(covers(own) for own in factor_spans[run].T):
            own = returns[run][spans[run] > 0]
            out[t] = own.sum() if log else np.prod(1 + own) - 1
            joint[t], sessions[t] = t + 1 - first, length[run].sum()
            sums[t] = np.where(factor_spans[run] > 0, factors[run], 0.0).sum(axis=0)
        last = t
    return out, joint, sessions, sums


@given(
    st.lists(
        st.lists(st.sampled_from([np.nan, -1.0, 0.0, 0.5, 2.0, 3.0]), min_size=5, max_size=5),
        min_size=1,
    )
)
def test_ranks_are_those_of_scipy(rows: list[list[float]]) -> None:
    values = np.array(rows)
    count = np.isfinite(values).sum(axis=1, keepdims=True)
    expected = rankdata(values, axis=1, nan_policy="omit") / (count + 1) - 0.5
    np.testing.assert_array_equal(scaled_ranks(values), expected)


def delayed(n: int = 16) -> AbnormalReturns:
    """Events of which some close day 0 at a price limit, with holes."""
    market = Market(n=n, seed=3, dates=5, rho=0.3, days=220)
    holes = np.random.default_rng(3).random(market.frame.shape) < 0.03
    holes[130:] = False
    panel = ReturnsPanel.from_frame(market.frame.mask(holes))
    codes = np.zeros(panel.values.shape, np.int64)
    for i in range(0, n, 3):
        at = int(np.searchsorted(panel.sessions, np.datetime64(market.table["day0"][i], "D")))
        codes[i, at : at + 1 + i % 2] = 1
    from eventstudy.events import Events

    events = Events(table=market.table, source="frame", sha256="")
    return (
        EventStudy(events, replace(panel, limits=codes), estimation=(-120, -11), event=(-5, 5))
        .fit()
        .abnormal
    )


def by_hand(sample: AbnormalReturns, window: Window) -> float:
    """The ratio estimator from arrays of all pairs."""
    shared, n = sample.under(overlap="share"), len(sample)
    r, mask = residuals_on(sample, np.unique(sample.windows.positions))
    days = mask.sum(axis=1, keepdims=True)
    z = r - mask * r.sum(axis=1, keepdims=True) / days
    z, q = z / np.linalg.norm(z, axis=1, keepdims=True), mask / np.sqrt(days)
    cover = loadings_on(shared, window)
    o = cover @ cover.T / np.sqrt(np.outer(cover.sum(axis=1), cover.sum(axis=1)))
    off = ~np.eye(n, dtype=bool)
    near = ((z @ z.T) * o)[off].sum() / ((q @ q.T) * o)[off].sum()
    every = (z @ z.T)[off].sum() / (q @ q.T)[off].sum()
    whole = loadings_on(sample, window)
    length = np.linalg.norm(whole, axis=1)
    both, own = ((part @ part.T / np.outer(length, length))[off].sum() for part in (whole, cover))
    return float((near * own + every * (both - own)) / (n * (n - 1)))


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_sums_over_sessions_are_those_over_all_pairs(window: Window) -> None:
    """With holes in the data, and sessions that CARs cover behind the window."""
    a = delayed()
    assert a.hidden(Window(0, 0)), "the limits must bite"
    sample = a.sample(window)
    assert by_session(sample, window).rbar == pytest.approx(by_hand(sample, window), rel=1e-10)


def test_sums_over_sessions_count_what_lies_behind_a_limit() -> None:
    a, window = delayed(), Window(0, 0)
    plain = by_session(a.under(limits="none").sample(window), window).rbar
    assert abs(by_session(a.sample(window), window).rbar - plain) > 1e-4


def test_sums_over_sessions_pair_exchanges_that_are_never_open_together() -> None:
    """One shock that half the firms show a session later: near what all pairs give, lags
    included."""
    market = Market(n=40, seed=17, dates=2, rho=0.6, days=220)
    late = market.tickers[20:]
    market.frame[late] = market.frame[late].shift(1)
    market.frame["MKT"] = np.random.default_rng(3).standard_normal(220) * 0.01
    fit = market.fit().abnormal
    hours = np.array([[14.5, 21.0]] * 20 + [[1.5, 7.0]] * 20)
    apart = fit.as_study(windows=fit.windows.altered(hours=hours))
    window = Window(-1, 1)
    together = by_session(fit, window).rbar
    exact = by_pair(apart, window).rbar
    assert exact > together + 0.05
    assert 1 + 39 * by_session(apart, window).rbar == pytest.approx(1 + 39 * exact, rel=0.05)


def test_a_sample_is_cut_when_it_is_asked_for() -> None:
    fit = Market(n=6).fit().abnormal
    rows = np.array([4, 1])
    taken = fit.take(rows)
    np.testing.assert_array_equal(taken.resid, fit.resid[rows])
    np.testing.assert_array_equal(taken.take(np.array([True, False])).ar, fit.ar[[4]])
    np.testing.assert_array_equal(taken.windows.returns, fit.windows.returns[rows])
    with pytest.raises(AttributeError, match="residuals"):
        taken.residuals  # type: ignore[attr-defined]  # noqa: B018


def test_a_worker_that_dies_loses_nothing(tmp_path: Path) -> None:
    items = [(i, tmp_path / "died") for i in range(8)]
    with Workers(2) as workers:
        assert list(workers.map(doubled, items)) == [2 * i for i in range(8)]
    assert (tmp_path / "died").exists()


def test_work_that_kills_every_worker_ends() -> None:
    with Workers(2) as workers, pytest.raises(WorkerError, match="4 workers died"):
        list(workers.map(deadly, [1, 1]))


@pytest.mark.slow
def test_two_workers_give_the_same_bits_and_show_progress() -> None:
    market = Market(n=120, seed=8)
    one, seen = market.fit().abnormal, list[tuple[int, int]]()
    with Workers(2, progress=lambda done, total: seen.append((done, total))):
        two = market.fit().abnormal
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (
        WeightedSums(one, Window(0, 0)).correlation == WeightedSums(two, Window(0, 0)).correlation
    )


class Dying(ThreadPoolExecutor):
    """An executor that is gone after some calls."""

    calls = 4

    def submit(self, *args: Any, **options: Any) -> Any:
        self.calls -= 1
        if self.calls < 0:
            raise CancelledError("the scheduler is gone")
        return super().submit(*args, **options)


def test_any_executor_computes_and_what_it_loses_is_computed_here() -> None:
    with ThreadPoolExecutor(2) as pool, Workers(2, executor=pool) as workers:
        assert list(workers.map(str, range(9))) == list("012345678")
        assert not workers.lost
    with Dying(2) as pool, Workers(2, executor=pool) as workers:
        assert list(workers.map(str, range(9))) == list("012345678")
        assert list(workers.map(str, [3, 4])) == ["3", "4"]
        assert "the scheduler is gone" in workers.lost
        with pytest.raises(TypeError):
            list(workers.map(len, [1, 2, 3]))  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_study_whose_executor_is_lost_has_the_same_bits() -> None:
    """The chunks are real ones, which are cut when they are needed."""
    market = Market(n=400, seed=8)
    one = market.fit().abnormal
    with Dying(2) as pool, Workers(2, executor=pool) as workers:
        two = market.fit().abnormal
    assert "the scheduler is gone" in workers.lost
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def test_workers_with_other_code_are_refused() -> None:
    theirs = {**versions(), "eventstudy": "0123456789ab"}
    with pytest.raises(ConfigError, match="0123456789ab instead of"):
        _refuse_others({"w1": theirs}, "cluster", "tcp://x")
    assert {"pandas", "arch"} <= {*versions()}


@contextmanager
def dask_cluster(folder: Path, *tls: str, package: Path = ROOT, **config: str) -> Iterator[Cluster]:
    """Start a scheduler and a worker of Dask, each a process; the worker has the code of
    `package`."""
    file = folder / "scheduler.json"

    def start(name: str, *more: str, **env: str) -> subprocess.Popen[bytes]:
        code = f"from distributed.cli.dask_{name} import main; main()"
        options = ["--no-dashboard", "--scheduler-file", str(file), *tls, *more]
        return subprocess.Popen(
            [sys.executable, "-c", code, *options], env={**os.environ, **config, **env}, cwd=folder,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    place = os.pathsep.join([str(package), str(ROOT / "tests")])
    scheduler = start("scheduler", "--port", "0", "--host", "127.0.0.1")
    try:
        while not file.exists() or not file.read_text().strip():
            time.sleep(0.1)
        worker = start("worker", "--nthreads", "1", "--no-nanny", PYTHONPATH=place)
        try:
            yield Cluster(json.loads(file.read_text())["address"], scheduler, worker)
        finally:
            worker.kill()
            worker.wait()
    finally:
        scheduler.kill()
        scheduler.wait()


class Cluster(NamedTuple):
    """The address of a scheduler, its process, and that of its worker."""

    address: str
    scheduler: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]


@pytest.mark.watch
@pytest.mark.parametrize(
    ("victim", "moment"),
    [*(("scheduler", at) for at in (0.0, 0.3, 2.0, 4.0)), ("worker", 1.0)],
)
def test_a_cluster_that_is_killed(victim: str, moment: float, tmp_path: Path) -> None:
    """The scheduler or all workers, at whatever moment: the bits are those of this process, or the
    error says that it may be tried again, within a minute."""
    market = Market(n=400, seed=8)
    one = market.fit().abnormal
    with dask_cluster(tmp_path) as cluster:
        while not _has_worker(cluster.address):
            time.sleep(0.2)
        with Workers(cluster=cluster.address) as workers:
            begin = time.monotonic()
            threading.Timer(moment, getattr(cluster, victim).kill).start()
            while not workers.lost:
                two = market.fit().abnormal
                for name in ARRAYS:
                    np.testing.assert_array_equal(getattr(one, name), getattr(two, name), name)
            assert time.monotonic() - begin < 60
        if victim == "scheduler" and not moment:
            with pytest.raises(ClusterError) as caught, Workers(cluster=cluster.address):
                pass
            assert caught.value.exit_code == 75


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("another version", marks=pytest.mark.slow),
        pytest.param("another project", marks=pytest.mark.watch),
    ],
)
def test_a_worker_with_other_code_is_refused(kind: str, tmp_path: Path) -> None:
    """In one sentence, and for good: trying again would not help."""
    package = tmp_path / "other" / "eventstudy"
    if kind == "another version":
        shutil.copytree(ROOT / "eventstudy", package)
        shutil.copy(ROOT / "eventstudy_kit.py", package.parent)
        (package / "data" / "more.csv").write_text("x")
    else:
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
    with dask_cluster(tmp_path, package=package.parent) as cluster:
        while not _has_worker(cluster.address):
            time.sleep(0.2)
        with pytest.raises(ConfigError) as caught, Workers(cluster=cluster.address):
            pass
        assert caught.value.exit_code == 2
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
def test_a_cluster_with_tls(tmp_path: Path) -> None:
    """The command takes the certificates from the variables that SECURITY.md names."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "own.pem")
    )
    own, ca = str(tmp_path / "own.pem"), str(tmp_path / "ca.pem")
    tls = ("--tls-ca-file", ca, "--tls-cert", own, "--tls-key", own, "--protocol", "tls")
    head = "DASK_DISTRIBUTED__COMM__TLS__"
    env = {f"{head}CA_FILE": ca, f"{head}CLIENT__CERT": own, f"{head}CLIENT__KEY": own}
    study = Project(tmp_path / "study")
    with dask_cluster(tmp_path, *tls) as cluster:
        assert cluster.address.startswith("tls://")

        def run(**env: str) -> int:
            child = started("run", *study.options, "--cluster", cluster.address, **env)
            child.communicate(timeout=120)
            return child.returncode

        assert run() == 2, "it has no certificate"
        while (code := run(**env)) == 2:
            assert cluster.worker.poll() is None, "it has not come yet"
        assert code == 0


def _has_worker(address: str) -> bool:
    from distributed import Client

    with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        return bool(client.scheduler_info(n_workers=-1)["workers"])


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bits(tmp_path: Path) -> None:
    """A scheduler and two workers of this machine, each a process."""
    from distributed import LocalCluster

    market = Market(n=120, seed=8)
    one = market.fit().abnormal
    options = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "dashboard_address": None,
        "local_directory": tmp_path,
    }
    with LocalCluster(**options) as cluster, Workers(cluster=cluster.scheduler_address):  # type: ignore[no-untyped-call]
        two = market.fit().abnormal
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def test_blocks_of_neighbours_hold_all_correlations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events months apart share no session; those that share some are in one block or in
    several."""
    market = Market(n=30, seed=2, days=700, dates=30, rho=0.2)
    days = market.frame.index[np.linspace(150, 690, 30).astype(int)]
    market.table = market.table.assign(day0=days, announced_at=days.strftime("%Y-%m-%d"))
    holes = np.random.default_rng(1).random(market.frame.shape) < 0.1
    fit = market.fit(market.frame.mask(holes), estimation=(-120, -11)).abnormal
    monkeypatch.setattr(Limits, "BLOCK", 7)
    residuals = residuals_on(fit, np.unique(fit.windows.positions))
    whole = residual_correlation(residuals, residuals, 30)
    assert 0.2 < np.isnan(whole).mean() < 0.9
    np.testing.assert_allclose(correlations(fit, 30), whole, rtol=1e-12, atol=1e-15)


def test_the_command_proposes_the_batch_where_it_helps() -> None:
    from eventstudy.cli.run import _faster
    from eventstudy.settings import StudyConfig

    assert "--engine batch" in _faster(StudyConfig(), AbnormalReturns.MANY + 1)[0]
    for config in (
        StudyConfig(engine="batch"),
        StudyConfig(cov_type="HC3"),
        StudyConfig(model="theil_sen"),
    ):
        assert _faster(config, AbnormalReturns.MANY + 1) == []
    assert _faster(StudyConfig(), AbnormalReturns.MANY) == []


TWO_THREADS = """
import sys
from conftest import ROOT, Market
from threadpoolctl import threadpool_limits

market = Market(n=60, days=1000, rho=0.2, seed=5)
days = market.frame.index[range(160, 940, 13)]
market.table = market.table.assign(day0=days, announced_at=days.strftime("%Y-%m-%d"))
with threadpool_limits(int(sys.argv[1])):
    results = market.fit(estimation=(-140, -11), event=(-10, 10))
    windows = [(first, last) for first in range(-10, 11) for last in range(first, 11)]
    for window in windows:
        print(results.test("bmp_kp", window).statistic.hex())
"""


@pytest.mark.watch
def test_last_digits_do_not_depend_on_the_threads_of_blas() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", TWO_THREADS, threads], capture_output=True, text=True,
            check=True,
            cwd=Path(__file__).parent,
        ).stdout
        for threads in ("1", "2")
    ]  # fmt: skip
    assert len(set(said[0].split())) == 231
    assert said[0] == said[1]
