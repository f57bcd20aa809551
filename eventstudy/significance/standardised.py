"""Tests of the mean standardised CAR (Patell, BMP, adjusted for correlation), and of one event."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import WeightedSums, require
from ..utility import FloatArray
from ._base import FULL_SAMPLE, Value, f_value, statistic, t_of_mean

NULL = "the mean standardised CAR is zero"
KP = "Kolari and Pynnonen (2010), with the correlation weighted by the overlap of the windows"


@statistic(
    "bmp", label="BMP", minimum=2, robust=("no", "no", "yes", "fair"), core=True,
    role="placebo studies", null=NULL, reference="t(N-1)",
    source="Boehmer, Musumeci and Poulsen (1991)", standardised=True,
)  # fmt: skip
def bmp(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the BMP statistic: the t-statistic of the mean standardised CAR of the events.

    Parameters
    ----------
    sample : AbnormalReturns
        The abnormal returns of N events, as decimals (0.01 is 1%). Each event has an abnormal
        return on every day of `window`.
    window : Window
        The window of the CAR. It has L days.

    Returns
    -------
    Value
        The t-statistic, and its N-1 degrees of freedom.

    Raises
    ------
    InapplicableError
        If there is only one event, or if all standardised CARs are equal.

    Notes
    -----
    .. math::

        t_{BMP} = \frac{\overline{SCAR}}{sd(SCAR) / \sqrt N}, \quad
        SCAR_i = \frac{CAR_i}{\sqrt{c' V_i c}}

    - :math:`SCAR_i` is the standardised CAR of event i: its CAR divided by its standard error. The
      mean and the standard deviation sd of these N numbers are taken over the events.
    - c is a vector of L ones, so :math:`c' V_i c` is the variance of :math:`CAR_i`.
    - :math:`V_i` is the variance matrix of the abnormal returns of event i in the window. With
      least squares, :math:`V_i = s_i^2 (I + X^*(X'X)^{-1} X^{*\prime})`.
    - :math:`s_i^2` is the variance of the residuals of event i.
    - X has the regressors of the estimation days, and :math:`X^*` the regressors of the window.

    Missing data: the test leaves out an event that has no abnormal return on some day of the
    window, unless ``Conventions.missing`` is "zero" or "rescale".

    References
    ----------
    Boehmer, E., Musumeci, J. and Poulsen, A. B. (1991), Event-study methodology under conditions of
    event-induced variance, Journal of Financial Economics 30, 253-272.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("bmp", (0, 1)))
    BMP: t(5) = -1.21, p = 0.2793, 6 events
    """
    return t_of_mean(sample.scar(window))


@statistic(
    "bmp_kp", label="BMP-KP", minimum=2, robust=("yes", "yes", "yes", "fair"), core=True,
    pairs_next_session=True, main_from=FULL_SAMPLE, null=NULL, reference="t(N-1)", source=KP,
    standardised=True,
)  # fmt: skip
def bmp_kp(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the BMP statistic of the events, adjusted for the correlation between the events.

    Parameters
    ----------
    sample : AbnormalReturns
        The abnormal returns of N events, as decimals (0.01 is 1%). Each event has an abnormal
        return on every day of `window`.
    window : Window
        The window of the CAR. It has L days.

    Returns
    -------
    Value
        The t-statistic, and its N-1 degrees of freedom. If the factor 1 + (N-1) r of the formula
        below is less than 0.5, the result has a warning.

    Raises
    ------
    InapplicableError
        If :func:`bmp` raises this error, if the mean correlation r of the formula below cannot be
        estimated, or if 1 + (N-1) r is not above 0.1.

    Notes
    -----
    .. math::

        t = t_{BMP} \sqrt{\frac{1 - \bar r}{1 + (N - 1) \bar r}}, \quad
        \bar r = \frac{2}{N (N-1)} \sum_{i<j} \rho_{ij} o_{ij}

    - :math:`t_{BMP}` is the statistic of :func:`bmp`.
    - :math:`\bar r` is the correlation between the standardised CARs of two events, averaged over
      all pairs of events.
    - :math:`\rho_{ij}` is the correlation of the residuals of events i and j. It is computed over
      the trading days that are in both estimation windows.
    - :math:`o_{ij}` is the overlap of the two CARs. It is 1 if both events have the same event
      days, estimation days and market index. It is near 0 if the windows of the two CARs have no
      day in common.

    If all events have the same event days and estimation days, t equals the statistic of Kolari and
    Pynnönen (2010). If two events have, on average, fewer than 60 estimation days in common, a
    negative r is set to zero.

    If events share dates and the news raises only the variance of each firm's own shock, the test
    is too cautious: it has fewer than 5% false alarms.

    Missing data: the test leaves out the same events as :func:`bmp`. If the residuals of two events
    have fewer than 30 days in common, the pair gets the mean :math:`\rho` of the other pairs, of
    those with an overlap :math:`o_{ij}` other than zero.

    References
    ----------
    Kolari, J. W. and Pynnönen, S. (2010), Event study testing with cross-sectional correlation of
    abnormal returns, Review of Financial Studies 23, 3996-4025.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("bmp_kp", (0, 1)))
    BMP-KP: t(5) = -1.22, p = 0.2780, 6 events
    """
    value = bmp(sample, window)
    r, factor = WeightedSums(sample, window).factor
    t = float(value.statistic * np.sqrt((1 - r) / factor))
    return Value(t, value.df, caution=WeightedSums.caution(factor))


@statistic(
    "patell", label="Patell Z", minimum=1, robust=("no", "no", "no", "fair"), core=True,
    null=NULL, reference="N(0,1)", source="Patell (1976)", standardised=True,
)  # fmt: skip
def patell(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return Patell's Z: the sum of standardised CARs, divided by the sum's standard deviation.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The z-statistic.

    Raises
    ------
    InapplicableError
        If an event has at most two more estimation days than the model has parameters.

    Notes
    -----
    .. math::

        Z = \frac{\sum_i SCAR_i}{\sqrt{\sum_i \nu_i / (\nu_i - 2)}}, \quad \nu_i = M_i - k

    - :math:`SCAR_i` is the standardised CAR of event i, as in :func:`bmp`. Its standard error
      includes the error of the estimated parameters.
    - :math:`\nu_i / (\nu_i - 2)` is the variance of :math:`SCAR_i` if returns are normal.
    - :math:`M_i` is the number of estimation days of event i, and k the number of parameters of the
      model.

    With the setting ``Conventions(scar="sum")``, :math:`SCAR_i` is computed as in Patell's paper:
    the sum of the L standardised abnormal returns, divided by the square root of L. In long
    windows, the test then gives too many false alarms.

    Missing data: the test leaves out the same events as :func:`bmp`.

    References
    ----------
    Patell, J. M. (1976), Corporate forecasts of earnings per share and stock price behavior:
    empirical tests, Journal of Accounting Research 14, 246-276.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("patell", (0, 1)))
    Patell Z: N(0,1) = -3.12, p = 0.0018, 6 events
    """
    return Value(float(sample.scar(window).sum() / np.sqrt(scar_variance(sample).sum())), np.inf)


@statistic(
    "patell_kp", label="Patell-KP", minimum=1, robust=("yes", "yes", "no", "fair"),
    pairs_next_session=True, null=NULL, reference="N(0,1)", source=KP, standardised=True,
)  # fmt: skip
def patell_kp(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return Patell's Z of the mean standardised CAR, adjusted for correlation between events.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The z-statistic. If 1 + (N-1) r in the formula below is less than 0.5, the result has a
        warning.

    Raises
    ------
    InapplicableError
        If :func:`patell` raises this error, if the mean correlation r of the formula below cannot
        be estimated, or if 1 + (N-1) r is not above 0.1.

    Notes
    -----
    .. math:: Z_{KP} = Z \, / \sqrt{1 + (N - 1) \bar r}

    - Z is the statistic of :func:`patell`.
    - :math:`\bar r` is the correlation between the standardised CARs of two events, averaged over
      all pairs of events. The notes of :func:`bmp_kp` have its formula.

    With fewer than five events, a negative r is set to zero.

    Missing data are treated as in :func:`bmp_kp`.

    References
    ----------
    Kolari, J. W. and Pynnönen, S. (2010), Event study testing with cross-sectional correlation of
    abnormal returns, Review of Financial Studies 23, 3996-4025.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("patell_kp", (0, 1)))
    Patell-KP: N(0,1) = -3.13, p = 0.0018, 6 events
    """
    return _patell_kp(sample, window, sample.scar(window))


@statistic(
    "patell_kp_regime", label="Patell-KP, variance of these days", minimum=1,
    robust=("yes", "yes", "no", "fair"), pairs_next_session=True, main_from=2, null=NULL,
    reference="N(0,1)", source="Kolari and Pynnonen (2010), with the variance of recent days",
    standardised=True, scales_variance=True,
)  # fmt: skip
def patell_kp_regime(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the Patell-KP statistic, adjusted if returns vary more than usual around the events.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of N events as decimals (0.01 is 1%). Each event has returns on all days of
        `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The z-statistic. If 1 + (N-1) r in the formula below is less than 0.5, the result has a
        warning.

    Raises
    ------
    InapplicableError
        If :func:`patell_kp` raises this error.

    Notes
    -----
    .. math::

        Z = \frac{\sum_i SCAR_i / \sqrt{k_i}}
            {\sqrt{\sum_i \nu_i / (\nu_i - 2)} \sqrt{1 + (N - 1) \bar r}}

    - :math:`SCAR_i` is the standardised CAR of event i: its CAR divided by its standard error.
    - :math:`k_i` is the variance around event i, divided by the variance in the estimation window.
      It combines the returns of the firm and of its market. A ratio below 1 is set to 1. The
      formula is in the manual, in the section "Violent days" of the page "The answer".
    - :math:`\nu_i` is the number of estimation days of event i minus the number of parameters of
      the model.
    - :math:`\bar r` is the mean correlation of :func:`bmp_kp`. With fewer than five events, a
      negative r is set to zero.

    If every :math:`k_i` is 1, the statistic equals :func:`patell_kp`. This is always so if the
    model itself forecasts the variance, as GARCH does.

    Missing data are treated as in :func:`bmp_kp`.

    References
    ----------
    Kolari, J. W. and Pynnönen, S. (2010), Event study testing with cross-sectional correlation of
    abnormal returns, Review of Financial Studies 23, 3996-4025. J. P. Morgan/Reuters (1996),
    RiskMetrics technical document, 4th edition (weights of recent days).

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> tickers = ["AAPL", "AMD", "NVDA", "XOM", "CVX", "AMZN"]
    >>> days = ["2018-04-04", "2018-06-15", "2022-10-07", "2019-08-05", "2020-03-09", "2021-07-30"]
    >>> news = pd.DataFrame({"ticker": tickers, "announced_at": days})
    >>> print(es.study(news, "sample").test("patell_kp_regime", (0, 1)))
    Patell-KP, variance of these days: N(0,1) = -2.07, p = 0.0381, 6 events
    """
    k = sample.recent_variance(window)
    return _patell_kp(sample, window, sample.scar(window) / np.sqrt(k))


def _patell_kp(sample: AbnormalReturns, window: Window, z: FloatArray) -> Value:
    """Return the sum of standardised CARs z (n,) over its standard deviation."""
    _, factor = WeightedSums(sample, window).factor
    if len(sample) < FULL_SAMPLE:
        factor = max(factor, 1.0)
    statistic = z.sum() / np.sqrt(scar_variance(sample).sum() * factor)
    return Value(float(statistic), np.inf, caution=WeightedSums.caution(factor))


def scar_variance(sample: AbnormalReturns) -> FloatArray:
    """Return nu / (nu - 2), the variance of each standardised CAR, shape (n,)."""
    nu = sample.df_resid
    require((nu > 2).all(), "few_degrees", n=int((nu <= 2).sum()), most=2)
    return nu / (nu - 2)


def decisive_scars(
    sample: AbnormalReturns, window: Window, *, is_few: bool | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the standardised CARs of the main test, and the standard error of each CAR, (n,) each.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window
    is_few : bool, optional
        Whether errors are raised by the root of ``AbnormalReturns.recent_variance``; by default
        below five events.

    Returns
    -------
    scar : (n,) float array
    error : (n,) float array
        Decimal.
    """
    scar = sample.scar(window)
    error = np.sqrt(sample.var_car(window))
    if is_few is None:
        is_few = len(sample) < FULL_SAMPLE
    if not is_few:
        return scar, error
    swing = np.sqrt(sample.recent_variance(window))
    return scar / swing, error * swing


@statistic(
    "event_t", label="Single-event t", minimum=1, robust=("n/a", "n/a", "no", "no"),
    null="the CAR of this event is zero", reference="t(M-k), exact under normality",
    source="MacKinlay (1997); Salinger (1992) for the variance of the CAR", per_event=True,
    core=True, role="event t", standardised=True,
)  # fmt: skip
def event_t(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of the CAR of one event, with its exact standard error.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of one event as decimals (0.01 is 1%). The event must have returns on all
        days of `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The t-statistic and its degrees of freedom, M-k. M is the number of estimation days, and k
        is the number of parameters of the model.

    Notes
    -----
    .. math::

        t = \frac{CAR}{\sqrt{c' V c}}, \quad V = s^2 (I + X^* (X'X)^{-1} X^{*\prime})

    - c is a vector of L ones, so :math:`c' V c` is the variance of the CAR.
    - V is the variance matrix of the abnormal returns in the window. The formula is that of a model
      fitted by least squares.
    - :math:`s^2` is the variance of the residuals.
    - X has the regressors of the estimation days, and :math:`X^*` the regressors of the window.

    The table ``results.car()`` has the statistic and the p-value of each event of a study.

    Missing data: the test is not computed if the event has no abnormal return on some day of the
    window, unless ``Conventions.missing`` is "zero" or "rescale".

    References
    ----------
    MacKinlay, A. C. (1997), Event studies in economics and finance, Journal of Economic Literature
    35, 13-39. Salinger, M. (1992), Standard errors in event studies, Journal of Financial and
    Quantitative Analysis 27, 39-53.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> print(es.study(news, "sample").test("event_t", (0, 1)))
    Single-event t: t(218) = -2.13, p = 0.0344, 1 event
    """
    return Value(float(sample.car_t(window)[0]), float(sample.df_resid[0]))


@statistic(
    "event_t_regime", label="Single-event t, variance of these days", minimum=1,
    robust=("n/a", "n/a", "no", "no"), null="the CAR of this event is zero", reference="t(M-k)",
    source="MacKinlay (1997), with the variance of recent days", per_event=True,
    main_from=1, standardised=True, scales_variance=True,
)  # fmt: skip
def event_t_regime(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the t-statistic of one event's CAR, with a standard error for volatile times.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of one event as decimals (0.01 is 1%). The event must have returns on all
        days of `window`.
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The t-statistic and its degrees of freedom: the number of estimation days minus the number
        of parameters of the model.

    Notes
    -----
    .. math:: t = \frac{CAR}{\sqrt{k\, c' V c}}

    - :math:`c' V c` is the variance of the CAR, as in :func:`event_t`.
    - k is the variance around the event, divided by the variance in the estimation window. It
      combines the returns of the firm and of its market. A ratio below 1 is set to 1. The formula
      is in the manual, in the section "Violent days" of the page "The answer".

    If k is 1, the statistic equals :func:`event_t`. This is always so if the model itself forecasts
    the variance, as GARCH does.

    Missing data are treated as in :func:`event_t`.

    References
    ----------
    MacKinlay, A. C. (1997), Event studies in economics and finance, Journal of Economic Literature
    35, 13-39. J. P. Morgan/Reuters (1996), RiskMetrics technical document, 4th edition (weights of
    recent days).

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> print(es.study(news, "sample").test("event_t_regime", (0, 1)))
    Single-event t, variance of these days: t(218) = -2.07, p = 0.0392, 1 event
    """
    k = sample.recent_variance(window)[0]
    return Value(float(sample.car_t(window)[0] / np.sqrt(k)), float(sample.df_resid[0]))


@statistic(
    "event_f", label="Single-event F (Chow)", minimum=1, robust=("n/a", "n/a", "no", "no"),
    null="every abnormal return of this event in the window is zero",
    reference="F(L,M-k), exact under normality", source="Chow (1960)", about_mean=False,
    per_event=True,
)  # fmt: skip
def event_f(sample: AbnormalReturns, window: Window) -> Value:
    r"""Return the F-statistic for the hypothesis that all abnormal returns in the window are zero.

    Parameters
    ----------
    sample : AbnormalReturns
        Abnormal returns of one event as decimals (0.01 is 1%).
    window : Window
        The tested window. It has L days.

    Returns
    -------
    Value
        The F-statistic. The p-value comes from Fisher's F distribution with L and M-k degrees of
        freedom. L is the number of days of the window, M is the number of estimation days, and k is
        the number of parameters of the model.

    Notes
    -----
    .. math:: F = \frac{AR' V^{-1} AR}{L}

    - AR is the vector of the abnormal returns in the window.
    - V is the variance matrix of these abnormal returns, as in :func:`event_t`.

    A regression over the estimation days and the event days, with a dummy for each event day, gives
    the same F. Its hypothesis is that the coefficients of all dummies are zero.

    Missing data: a return that covers several days of the window is one number of AR, and L is the
    number of abnormal returns in AR. Without an abnormal return on some day of the window, the test
    is not computed, unless ``Conventions.missing`` is "zero" or "rescale".

    References
    ----------
    Chow, G. C. (1960), Tests of equality between sets of coefficients in two linear regressions,
    Econometrica 28, 591-605.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> print(es.study(news, "sample").test("event_f", (0, 1)))
    Single-event F (Chow): F(2,218) = 5.16, p = 0.0065, 1 event
    """
    cols = sample.columns(window)
    days = sample.inside(window)[0]
    ar = sample.ar[0, cols][days]
    x = sample.x_event[0, cols][days]
    V = np.diag(sample.noise[0, cols][days]) + x @ sample.cov_params[0] @ x.T
    return f_value(float(ar @ np.linalg.solve(V, ar)) / len(ar), len(ar), float(sample.df_resid[0]))
