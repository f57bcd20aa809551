"""A study of announcements: what is to be estimated, and ``run_study``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ..fitting.config import StudyConfig
from ..fitting.fit import UnfittedStudy
from .results import EventStudyResults

if TYPE_CHECKING:
    import pandas as pd

    from ..events.table import Events


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


def run_study(
    events: Events | pd.DataFrame | str | Path,
    config: StudyConfig | None = None,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> EventStudyResults:
    """Fetch the returns that `config` names and fit the study, as ``eventstudy run`` does.

    Parameters
    ----------
    events : Events, DataFrame or path
        A frame or a file is read as by :func:`events_from_frame` and :func:`read_events`.
    config : StudyConfig, optional
    offline : bool
        Never use the network.
    store, vintage : str
        As for :func:`load_returns`.
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.

    Returns
    -------
    EventStudyResults

    Raises
    ------
    EventStudyError
        For faults of the events, the settings or the prices.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["NVDA", "AMD"], "announced_at": ["2022-10-07"] * 2})
    >>> results = es.run_study(news, es.StudyConfig(prices="sample"))
    >>> effect = results.answer((0, 1)).effect
    >>> f"{effect.estimate:.2%}, 95% interval {effect.ci_low:.2%} to {effect.ci_high:.2%}"
    '-5.22%, 95% interval -11.32% to 0.87%'
    """
    from ..analysis.variant_studies import compute_study
    from ..fitting.inputs import StudyInputs, events_given

    inputs = StudyInputs(events_given(events), config or StudyConfig(), offline, store, vintage)
    return EventStudyResults.of(compute_study(inputs, progress=progress))
