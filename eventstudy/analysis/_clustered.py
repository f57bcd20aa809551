"""Standard errors of least squares whose errors are correlated within clusters, and their wild
bootstrap."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..significance.wild_bootstrap import EQUAL
from ..utility.typing import FloatArray, IntArray

ClusterError = Literal["CR2", "CR1"]
# 1 minus an eigenvalue of a cluster's hat matrix: below this a cluster alone determines a
# coefficient.
SINGULAR = 1e-9


def loadings(X: FloatArray, cluster: IntArray, kind: ClusterError) -> FloatArray:
    """Return A, (N, k), with Var(b_j) = sum_g (sum_{i in g} A_ij e_i)^2 for least-squares residuals
    e.

    CR2 (Bell and McCaffrey 2002): A_g = (I - H_gg)^{-1/2} X_g (X'X)^-1, by a pseudo-inverse where I
    - H_gg is singular (Pustejovsky and Tipton 2018). CR1: A = X (X'X)^-1 sqrt(G/(G-1) (N-1)/(N-k)).

    Parameters
    ----------
    X : (N, k) float array
        Regressors of full rank, times the root of the weights if there are any.
    cluster : (N,) int array
        From 0 to G-1.
    kind : {"CR2", "CR1"}
    """
    N, k = X.shape
    root = inverse_root(X)
    if kind == "CR1":
        G = int(cluster.max()) + 1
        plain: FloatArray = np.sqrt(G / (G - 1) * (N - 1) / (N - k)) * (X @ root @ root.T)
        return plain
    # (I - ZZ')^{-1/2} Z = Z (I - Z'Z)^{-1/2}: k x k instead of n_g x n_g.
    Z, A = X @ root, np.empty_like(X)
    for g in range(int(cluster.max()) + 1):
        own = cluster == g
        value, vector = np.linalg.eigh(np.eye(k) - Z[own].T @ Z[own])
        scale = np.where(value > SINGULAR, 1 / np.sqrt(np.maximum(value, SINGULAR)), 0.0)
        A[own] = Z[own] @ (vector * scale) @ vector.T @ root.T
    return A


def decisive(X: FloatArray, cluster: IntArray) -> int:
    """Return the number of clusters that alone determine a combination of coefficients."""
    Z = X @ inverse_root(X)
    parts = (Z[cluster == g] for g in range(int(cluster.max()) + 1))
    return sum(bool(np.linalg.eigvalsh(own.T @ own)[-1] > 1 - SINGULAR) for own in parts)


def scores(A: FloatArray, e: FloatArray, cluster: IntArray) -> FloatArray:
    """Return sum_{i in g} A_ij e_i, shape (G, k)."""
    out = np.zeros((int(cluster.max()) + 1, A.shape[1]))
    np.add.at(out, cluster, A * e[:, None])
    return out


def satterthwaite(X: FloatArray, A: FloatArray, cluster: IntArray) -> FloatArray:
    """Return the degrees of freedom of each coefficient, shape (k,): (tr M)^2 / tr(M^2).

    M_gh = a_g'(I - H)_gh a_h is the covariance of the scores under independent errors of one
    variance.
    """
    Z, G = X @ inverse_root(X), int(cluster.max()) + 1
    own = scores(A**2, np.ones(len(A)), cluster)
    df = np.empty(A.shape[1])
    for j in range(A.shape[1]):
        U = np.zeros((G, Z.shape[1]))
        np.add.at(U, cluster, Z * A[:, [j]])
        M = np.diag(own[:, j]) - U @ U.T
        df[j] = M.trace() ** 2 / (M**2).sum()
    return df


def wild_pvalues(X: FloatArray, y: FloatArray, cluster: IntArray, A: FloatArray) -> FloatArray:
    """Return two-sided wild cluster bootstrap p-values of H0: b_j = 0, shape (k,).

    The null is imposed: the residuals of the regression without column j change sign by whole
    clusters. All 2^G flips are used, each b*_j over its own standard error (Cameron, Gelbach and
    Miller 2008).
    """
    G, k = int(cluster.max()) + 1, X.shape[1]
    signs = 1.0 - 2.0 * ((np.arange(2**G)[:, None] >> np.arange(G)) & 1)
    inverse = np.linalg.pinv(X)
    p = np.empty(k)
    for j in range(k):
        rest = np.delete(X, j, axis=1)
        fitted = rest @ np.linalg.lstsq(rest, y, rcond=None)[0] if k > 1 else np.zeros_like(y)
        stars = fitted + signs[:, cluster] * (y - fitted)
        b = stars @ inverse.T
        e = stars - b @ X.T
        score = np.zeros((len(signs), G))
        np.add.at(score.T, cluster, (e * A[:, j]).T)
        se = np.sqrt((score**2).sum(axis=1))
        t = np.abs(np.divide(b[:, j], se, out=np.full(len(se), np.inf), where=se > 0))
        p[j] = (t >= t[0] - EQUAL).mean()
    return p


def inverse_root(X: FloatArray) -> FloatArray:
    """Return L with L L' = (X'X)^-1, by a QR decomposition."""
    inverse: FloatArray = np.linalg.inv(np.linalg.qr(X, mode="r"))
    return inverse
