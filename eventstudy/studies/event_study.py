"""A study of announcements: what is to be estimated, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..fitting.fit import UnfittedStudy
from .results import EventStudyResults


@dataclass(frozen=True, eq=False, repr=False)
class EventStudy(UnfittedStudy):
    """A study of announcements, ready to be fitted.

    Parameters
    ----------
    events : Events, DataFrame or path
        A frame or a file is read as by :func:`events_from_frame` and :func:`read_events`.
    returns : ReturnsPanel or DataFrame
        Must hold the events' tickers and benchmarks; what it lacks drops the event, with a reason.
        A frame is read as by :meth:`ReturnsPanel.from_frame`.
    model : str or LinearModel
        Name of a registered model, or an instance.
    estimation, event : Window or (start, stop)
        In trading days of each event's exchange; the event day is 0.
    benchmark : str
        One index for all events; by default the events' own or their exchanges'.
    benchmark_policy : {"fallback", "strict"}
        Whether an index of the exchange replaces one that the events name where this lacks days.
    engine : {"statsmodels", "batch"}
        Least squares event by event, or all at once; the numbers agree to rounding.
    min_estimation : int
        Events with fewer complete estimation days are flagged ``short_estimation``.
    factors : DataFrame, optional
        Decimal returns of factors, dates x names, for models that need them (:func:`read_factors`).
    series : mapping of str to ticker
        Further series of the model that are the same for all events, such as ``{"world": "URTH"}``.
    conventions : Conventions
        What tests do where authors differ.
    halt : {"calendar", "shift"}
        Whether the clock runs on through a halt, or halted sessions leave it: day 0 is then the
        session on which trading resumes.
    repeat : {"mask", "first", "keep-all"}
        Whether estimation days within an event window of another event of the firm are left out;
        with "first" an event whose window overlaps that of an earlier one of the firm is left out
        as well.
    left_out : sequence of n str
        Why each event is not to be used; "" for those that are. By default all are.
    main : Window or (start, stop), optional
        Window whose suspect moves give an event the flag ``suspect_split`` or ``suspect_move``; by
        default [0,1] if the event window holds it.

    Raises
    ------
    ConfigError
        For what is no such thing, an unknown model or choice, or windows that are none or overlap.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.bdate_range("2020-01-01", periods=300)
    >>> market = 0.01 * rng.standard_normal(300)
    >>> firm = 1.2 * market + 0.01 * rng.standard_normal(300)
    >>> firm[280] += 0.05
    >>> returns = pd.DataFrame({"ACME": firm, "INDEX": market}, index=dates)
    >>> news = pd.DataFrame({"ticker": ["ACME"], "announced_at": [str(dates[280].date())]})
    >>> news = es.events_from_frame(news.assign(benchmark="INDEX"), calendar="data")
    >>> study = es.EventStudy(news, returns)
    >>> study
    <event study of 1 events, model market, not fitted yet>
    >>> round(study.fit().answer((0, 0)).effect.estimate, 3)
    0.063
    """

    def fit(self) -> EventStudyResults:
        """Estimate the model for every event and return abnormal returns and results.

        Returns
        -------
        EventStudyResults

        Raises
        ------
        ConfigError
            If the model needs a series that there is not.
        """
        return EventStudyResults.of(self.fitted())

    def __repr__(self) -> str:
        model = self.model if isinstance(self.model, str) else self.model.name
        return f"<event study of {len(self.events)} events, model {model}, not fitted yet>"

    def _repr_html_(self) -> str:
        hint = f"{repr(self)[1:-1]}: fit() estimates it"
        return f"<p>{escape(hint)}</p>{self.returns._repr_html_()}{self.events._repr_html_()}"
