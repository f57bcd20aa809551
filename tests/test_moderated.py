"""The moderated variance of standardised CARs, against a worked example computed elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eventstudy.significance import Scale, Spread, moderate, usual_multiple

CAR = np.array([-0.081, -0.034, -0.127, -0.058, -0.021])
NU = np.array([218.0, 218.0, 150.0, 218.0, 196.0])
SIGMA = np.array([0.0201, 0.0150, 0.0422, 0.0290, 0.0174]) * np.sqrt([1.0, 1.3, 1.0, 2.1, 1.0])
# Two firms share a date; two dates are a trading day apart.
C = np.eye(5)
C[0, 1] = C[1, 0] = 0.31
C[2, 3] = C[3, 2] = 0.08


def mean_correlation(matrix: np.ndarray) -> float:
    n = len(matrix)
    return float((matrix.sum() - n) / (n * (n - 1))) if n > 1 else 0.0


def scale_of(rows: np.ndarray) -> Scale:
    z = CAR[rows] / SIGMA[rows]
    return moderate(Spread.of(z, NU[rows]), mean_correlation(C[np.ix_(rows, rows)]))


def interval(estimate: float, variance: float, df: float) -> list[float]:
    """Return estimate, error, p and the ends of the 95 % interval."""
    se = np.sqrt(variance)
    half = stats.t.ppf(0.975, df) * se
    return [estimate, se, 2 * stats.t.sf(abs(estimate / se), df), estimate - half, estimate + half]


def weighted(rows: np.ndarray, shared: str = "root") -> list[float]:
    """Return the average in weights of one over the error, and its test."""
    variance, df = scale_of(rows).as_if(shared).of_sum()
    z, precision = CAR[rows] / SIGMA[rows], (1 / SIGMA[rows]).sum()
    return interval(z.sum() / precision, variance / precision**2, df)


ALL = np.arange(5)


def test_the_five_events_of_the_worked_example() -> None:
    expected = [-0.05448015, 0.01258441, 0.00029696, -0.08065421, -0.02830608]
    np.testing.assert_allclose(weighted(ALL), expected, atol=1e-8)
    assert scale_of(ALL).of_sum()[1] == pytest.approx(20.95579667, abs=1e-8)


def test_the_plain_average_of_the_worked_example() -> None:
    a = SIGMA / 5
    variance, df = scale_of(ALL).variance(a @ a, a @ C @ a)
    expected = [-0.0642, 0.01588080, 0.00062908, -0.09731151, -0.03108849]
    np.testing.assert_allclose(interval(CAR.mean(), variance, df), expected, atol=1e-8)


def test_without_one_event_and_one_event_alone() -> None:
    assert weighted(np.array([0, 1, 3, 4]))[2] == pytest.approx(0.00233548, abs=1e-8)
    alone = scale_of(np.array([0]))
    variance, df = alone.of_sum()
    assert variance == pytest.approx(1.0, abs=1e-14)
    assert df == pytest.approx(218.0, abs=1e-10)
    assert weighted(np.array([0]))[2] == pytest.approx(0.00007712, abs=1e-8)


@pytest.mark.parametrize(("shared", "p"), [("own", 0.00019008), ("alike", 0.00047199)])
def test_the_bracket_of_the_worked_example(shared: str, p: float) -> None:
    assert weighted(ALL, shared)[2] == pytest.approx(p, abs=1e-8)


@pytest.mark.parametrize(("rows", "times"), [(ALL, 9.72068189), (ALL[:1], 4.18067373)])
def test_the_multiple_of_the_usual_variance(rows: np.ndarray, times: float) -> None:
    scale = scale_of(rows)
    variance, df = scale.of_sum()
    t = (CAR[rows] / SIGMA[rows]).sum() / np.sqrt(variance)
    critical = stats.t.ppf(0.975, df)
    assert usual_multiple(scale, t, critical) == pytest.approx(times, abs=1e-7)


def test_two_listings_of_one_company() -> None:
    z = np.array([-0.05, -0.11]) / 0.02
    variance, df = moderate(Spread.of(z, NU[:2]), 0.95).of_sum()
    assert df == pytest.approx(436)
    precision = 2 / 0.02
    found = interval(z.sum() / precision, variance / precision**2, df)
    np.testing.assert_allclose(found[1:3], [0.02804852, 0.00454820], atol=1e-8)


@given(
    n=st.integers(2, 40), r=st.floats(-0.02, 0.98), seed=st.integers(0, 10**6),
    swing=st.floats(0.1, 30),
)  # fmt: skip
def test_theta_lies_between_the_usual_variance_and_that_of_the_events(
    n: int, r: float, seed: int, swing: float
) -> None:
    z = swing * np.random.default_rng(seed).normal(size=n)
    scale = moderate(Spread.of(z, np.full(n, 100.0)), r)
    low, high = sorted([scale.usual, scale.spread])
    assert low <= scale.theta * (1 + 1e-12)
    assert scale.theta <= high * (1 + 1e-12)
    variances = [scale.as_if(shared).of_sum()[0] for shared in ("own", "root")]
    assert all(variance > 0 for variance in variances)
    lower, upper = variances if scale.usual <= scale.theta else variances[::-1]
    assert lower <= upper * (1 + 1e-12)


def test_sets_of_events_at_once_are_each_by_itself() -> None:
    sets = [np.delete(ALL, i) for i in range(5)]
    each = [scale_of(rows) for rows in sets]
    stacked = Spread(*np.array([Spread.of(CAR[s] / SIGMA[s], NU[s]) for s in sets]).T)
    together = moderate(stacked, np.array([scale.r for scale in each]))
    for name in ("theta", "df", "whole"):
        np.testing.assert_allclose(getattr(together, name), [getattr(s, name) for s in each])
    np.testing.assert_allclose(together.of_sum()[0], [scale.of_sum()[0] for scale in each])
