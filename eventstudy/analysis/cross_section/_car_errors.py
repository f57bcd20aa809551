"""Standard errors of a regression of CARs that take events, or their clusters, as independent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from ...errors import ConfigError
from ...significance import DateClusters
from ...utility import FloatArray, IntArray
from ...words import make_error

ClusterError = Literal["CR2", "CR1"]
Clusters = Mapping[str, IntArray]
# 1 minus an eigenvalue of a cluster's hat matrix: below it the cluster determines a coefficient.
SINGULAR = 1e-9
# With fewer dates the reference law of a clustered t is itself an approximation.
FEW_DATES = 10
LARGE_SHARE = 1 / 3
# Scores of dates this small beside those of their events are zero but for rounding.
ROUNDING = 1e-10


class NotPossibleError(ConfigError):
    """A valid request that these events do not allow."""

    def __str__(self) -> str:
        value = f" ({self.value})" * (self.value is not None)
        return str(ConfigError(f"{self.what}{value}", where=self.where, remedy=self.remedy))


class Errors(NamedTuple):
    """Errors of k coefficients.

    Attributes
    ----------
    label : str
        "portfolio", "HC3", "CR2", "CR1 by country" and the like.
    V : (k, k) float array
        Covariance of the estimates; NaN where there is none.
    df : (k,) float array
        Degrees of freedom of Student's t.
    wild : (k,) float array, optional
        Bootstrap p-values.
    notes : tuple of str
    reason : str
        Why there are none; "" otherwise.
    """

    label: str
    V: FloatArray
    df: FloatArray
    wild: FloatArray | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""

    @classmethod
    def none(cls, label: str, k: int, reason: str) -> Errors:
        """Return that k coefficients have no errors of this kind, and why."""
        return cls(label, np.full((k, k), np.nan), np.full(k, np.nan), reason=reason)


def independent_errors(
    cov: str, A: FloatArray, X: FloatArray, e: FloatArray, weight: FloatArray
) -> Errors:
    r"""Return errors of the coefficients that take events as independent.

    Parameters
    ----------
    cov : {"HC0", "HC1", "HC2", "HC3", "nonrobust"}
    A : (k, N) float array
        (X'WX)^-1 X'W, by which CARs become coefficients.
    X : (N, k) float array
    e : (N,) float array
        Residuals of the CARs.
    weight : (N,) float array
        W.

    Returns
    -------
    Errors

    Notes
    -----
    .. math:: V = A \operatorname{diag}(c_i e_i^2) A'

    c is 1 (HC0), N/(N-k) (HC1), 1/(1-h_i) (HC2) or 1/(1-h_i)^2 (HC3), h_i the leverage. An event
    of leverage 1 has no residual and adds nothing.

    References
    ----------
    .. [1] MacKinnon, J. G. and White, H. (1985). Some heteroskedasticity-consistent covariance
       matrix estimators with improved finite sample properties. Journal of Econometrics 29,
       305-325.
    """
    N, k = X.shape
    df = np.full(k, float(N - k))
    if cov == "nonrobust":
        return Errors(cov, (weight * e**2).sum() / (N - k) * (A / weight) @ A.T, df)
    slack = 1 - (A.T * X).sum(axis=1)
    lone = slack < SINGULAR
    power = {"HC2": 1, "HC3": 2}.get(cov, 0)
    factor = np.where(lone, 0.0, np.where(lone, 1.0, slack) ** -power)
    if cov == "HC1":
        factor *= N / (N - k)
    return Errors(cov, (A * factor * e**2) @ A.T, df)


def cluster_errors(
    X: FloatArray, y: FloatArray, e: FloatArray, dates: IntArray, se: ClusterError,
    unit: str = "date",
) -> Errors:  # fmt: skip
    """Return errors of the coefficients clustered by date, and bootstrap p-values if dates are few.

    Parameters
    ----------
    X : (N, k) float array
        Regressors, times the root of the weights if there are any.
    y : (N,) float array
        CARs (decimal) in the same weights.
    e : (N,) float array
        Residuals of y on X.
    dates : (N,) int array
        Date of each event, from 0 to G-1.
    se : {"CR2", "CR1"}
    unit : str
        What notes call a date where something else is meant.

    Returns
    -------
    Errors

    Raises
    ------
    NotPossibleError
        With fewer than three dates, and where the columns tell every date from the others.
    """
    size = np.bincount(dates)
    (N, k), G = X.shape, len(size)
    if G < DateClusters.FEWEST:
        reason = f"{G} {unit}s, at least {DateClusters.FEWEST} are needed to cluster by {unit}"
        raise NotPossibleError(reason, where="cov")
    A = score_weights(X, dates, se)
    S = sum_scores(A, e, dates)
    if (np.abs(S).max(axis=0) <= ROUNDING * np.abs(A * e[:, None]).max(axis=0)).any():
        raise make_error(NotPossibleError, "wrong.separate", where="cov", unit=unit)
    df = np.full(k, G - 1.0) if se == "CR1" else satterthwaite(X, A, dates)
    notes = []
    if n_decisive := count_decisive(X, dates):
        day = f"{unit} determines" if n_decisive == 1 else f"{unit}s determine"
        notes.append(f"{n_decisive} {day} a coefficient alone; its error leaves them out")
    if size.max() / N > LARGE_SHARE:
        notes.append(f"the largest {unit} holds {size.max() / N:.0%} of the events")
    if len(size) >= FEW_DATES:
        return Errors(se, S.T @ S, df, notes=tuple(notes))
    least = (
        f"; wild_pvalue cannot fall below {2.0 ** (1 - G):g}"
        if G < DateClusters.FEWEST_TO_FLIP
        else ""
    )
    notes.append(f"only {G} {unit}s: read wild_pvalue (wild cluster bootstrap) as well{least}")
    return Errors(se, S.T @ S, df, bootstrap_pvalues(X, y, dates, A), tuple(notes))


def errors_by(
    X: FloatArray, y: FloatArray, e: FloatArray, clusters: Clusters, se: ClusterError
) -> Errors:
    """Return errors clustered by one column or by two.

    Parameters
    ----------
    X, y, e, se
        As for :func:`cluster_errors`.
    clusters : mapping of str to (N,) int array
        Of two the variances are added and that of both at once is taken off, each with CR1 and
        t(G-1) of the column with fewer clusters.

    Returns
    -------
    Errors

    References
    ----------
    .. [1] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2011). Robust inference with multiway
       clustering. Journal of Business & Economic Statistics 29, 238-249.
    """
    names = list(clusters)
    codes = list(clusters.values())
    if len(codes) == 1:
        unit = names[0] if names == ["date"] else "cluster"
        label = se if names == ["date"] else f"{se} by {names[0]}"
        return cluster_errors(X, y, e, codes[0], se, unit)._replace(label=label)
    if len(codes) > 2:
        raise ConfigError("errors are clustered by one column or by two", value=", ".join(names))
    both = np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].ravel()
    V = np.zeros((X.shape[1], X.shape[1]))
    for sign, code in ((1, codes[0]), (1, codes[1]), (-1, both)):
        S = sum_scores(score_weights(X, code, "CR1"), e, code)
        V += sign * S.T @ S
    G = min(int(code.max()) + 1 for code in codes)
    if not (np.diag(V) > 0).all() or G < DateClusters.FEWEST:
        raise make_error(NotPossibleError, "wrong.both_ways", value=", ".join(names))
    return Errors(f"CR1 by {' and '.join(names)}", V, np.full(X.shape[1], G - 1.0))


def score_weights(X: FloatArray, cluster: IntArray, kind: ClusterError) -> FloatArray:
    r"""Return A, shape (N, k), by which residuals become the scores of each cluster.

    Parameters
    ----------
    X : (N, k) float array
        Regressors of full rank, times the root of the weights if there are any.
    cluster : (N,) int array
        From 0 to G-1.
    kind : {"CR2", "CR1"}

    Returns
    -------
    (N, k) float array

    Notes
    -----
    With least-squares residuals e,

    .. math:: \operatorname{Var}(b_j) = \sum_g \Big( \sum_{i \in g} A_{ij} e_i \Big)^2 .

    CR2: A_g = (I - H_gg)^{-1/2} X_g (X'X)^-1, by a pseudo-inverse where I - H_gg is singular. CR1:
    A = X (X'X)^-1 sqrt(G/(G-1) (N-1)/(N-k)).

    References
    ----------
    .. [1] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear
       regression with multi-stage samples. Survey Methodology 28, 169-181.
    .. [2] Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for cluster-robust
       variance estimation and hypothesis testing in fixed effects models. Journal of Business &
       Economic Statistics 36, 672-683.
    """
    N, k = X.shape
    root = invert_root(X)
    if kind == "CR1":
        G = int(cluster.max()) + 1
        return np.asarray(np.sqrt(G / (G - 1) * (N - 1) / (N - k)) * (X @ root @ root.T))
    # (I - ZZ')^{-1/2} Z = Z (I - Z'Z)^{-1/2}: k x k instead of n_g x n_g.
    Z = X @ root
    A = np.empty_like(X)
    for g in range(int(cluster.max()) + 1):
        members = cluster == g
        value, vector = np.linalg.eigh(np.eye(k) - Z[members].T @ Z[members])
        scale = np.where(value > SINGULAR, 1 / np.sqrt(np.maximum(value, SINGULAR)), 0.0)
        A[members] = Z[members] @ (vector * scale) @ vector.T @ root.T
    return A


def count_decisive(X: FloatArray, cluster: IntArray) -> int:
    """Return the number of clusters that alone determine a combination of coefficients.

    Parameters
    ----------
    X : (N, k) float array
    cluster : (N,) int array
        From 0 to G-1.

    Returns
    -------
    int
    """
    Z = X @ invert_root(X)
    blocks = (Z[cluster == g] for g in range(int(cluster.max()) + 1))
    return sum(bool(np.linalg.eigvalsh(block.T @ block)[-1] > 1 - SINGULAR) for block in blocks)


def sum_scores(A: FloatArray, e: FloatArray, cluster: IntArray) -> FloatArray:
    """Return the sum of A_ij e_i over each cluster, shape (G, k).

    Parameters
    ----------
    A : (N, k) float array
    e : (N,) float array
    cluster : (N,) int array
        From 0 to G-1.

    Returns
    -------
    (G, k) float array
    """
    out = np.zeros((int(cluster.max()) + 1, A.shape[1]))
    np.add.at(out, cluster, A * e[:, None])
    return out


def satterthwaite(X: FloatArray, A: FloatArray, cluster: IntArray) -> FloatArray:
    """Return the degrees of freedom of each coefficient, shape (k,).

    Parameters
    ----------
    X : (N, k) float array
    A : (N, k) float array
        Of :func:`score_weights`.
    cluster : (N,) int array
        From 0 to G-1.

    Returns
    -------
    (k,) float array

    Notes
    -----
    (tr M)^2 / tr(M^2), where M_gh = a_g'(I - H)_gh a_h is the covariance of the scores under
    independent errors of one variance.

    References
    ----------
    .. [1] Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear
       regression with multi-stage samples. Survey Methodology 28, 169-181.
    """
    Z = X @ invert_root(X)
    G = int(cluster.max()) + 1
    variances = sum_scores(A**2, np.ones(len(A)), cluster)
    df = np.empty(A.shape[1])
    for j in range(A.shape[1]):
        U = np.zeros((G, Z.shape[1]))
        np.add.at(U, cluster, Z * A[:, [j]])
        M = np.diag(variances[:, j]) - U @ U.T
        df[j] = M.trace() ** 2 / (M**2).sum()
    return df


def bootstrap_pvalues(X: FloatArray, y: FloatArray, cluster: IntArray, A: FloatArray) -> FloatArray:
    """Return two-sided wild cluster bootstrap p-values of H0: b_j = 0, shape (k,).

    Parameters
    ----------
    X : (N, k) float array
    y : (N,) float array
        CARs (decimal).
    cluster : (N,) int array
        From 0 to G-1.
    A : (N, k) float array
        Of :func:`score_weights`.

    Returns
    -------
    (k,) float array

    Notes
    -----
    The null is imposed: the residuals of the regression without column j change sign by clusters.
    All 2^G flips are used, each b*_j over its standard error.

    References
    ----------
    .. [1] Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008). Bootstrap-based improvements for
       inference with clustered errors. Review of Economics and Statistics 90, 414-427.
    """
    G = int(cluster.max()) + 1
    k = X.shape[1]
    signs = DateClusters.all_signs(G)
    inverse = np.linalg.pinv(X)
    p = np.empty(k)
    for j in range(k):
        fitted = np.zeros_like(y)
        restricted = np.delete(X, j, axis=1)
        if k > 1:
            fitted = restricted @ np.linalg.lstsq(restricted, y, rcond=None)[0]
        stars = fitted + signs[:, cluster] * (y - fitted)
        b = stars @ inverse.T
        e = stars - b @ X.T
        score = np.zeros((len(signs), G))
        np.add.at(score.T, cluster, (e * A[:, j]).T)
        se = np.sqrt((score**2).sum(axis=1))
        t = np.abs(np.divide(b[:, j], se, out=np.full(len(se), np.inf), where=se > 0))
        p[j] = (t >= t[0] - DateClusters.TIE).mean()
    return p


def invert_root(X: FloatArray) -> FloatArray:
    """Return L with L L' = (X'X)^-1, by a QR decomposition."""
    return np.asarray(np.linalg.inv(np.linalg.qr(X, mode="r")))
