"""One call from data in memory to results, and the answers of several results side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from ..analysis import answer_row, compute_study
from ..errors import ConfigError, NoUsableEventsError
from ..events import Events
from ..findings import count_dropped
from ..fitting import StudyInputs, UnfittedStudy, WindowsLike
from ..prices import PricesLike, resolve
from ..returns import usual_calendar
from ..settings import Setting, StudyConfig
from ..words import make_error, say
from .results import EventStudyResults

# Settings that name files, in whose place a table can be given.
TABLES = ("prices", "returns", "factors")
# Reasons that an error names.
NAMED_REASONS = 5


def study(
    events: Events | pd.DataFrame | str | Path,
    prices: PricesLike | None = None, *,
    returns: pd.DataFrame | str | Path | None = None, date: str = "", ticker: str = "",
    config: StudyConfig | None = None, offline: bool = False, store: str = "", vintage: str = "",
    progress: Callable[[int, int], None] | None = None, **settings: Any,
) -> EventStudyResults:  # fmt: skip
    """Fit a study of events and prices, with the numbers of ``eventstudy run`` on the same data.

    Parameters
    ----------
    events : DataFrame, path or Events
        One row is one announcement on one listing. Needed are its ticker and its date; a column
        ``symbol``, ``date`` or ``event_date`` is taken for them, and a note of the results says so.
    prices : DataFrame, Series, mapping, path, str or PriceProvider, optional
        Adjusted closes, as a wide table (dates x tickers) or a long one (``symbol``, ``date``,
        ``close`` or ``adj_close``); a table for each ticker; a folder or a file; a name such as
        ``"sample"`` or ``"yahoo"``; or an object with ``fetch``. The indices of the exchanges
        belong to them. By default that of `config`, else ``"auto"``.
    returns : DataFrame or path, optional
        Decimal returns in place of prices, wide or long (``date``, ``ticker``, ``ret``).
    date, ticker : str
        The columns of the events with the date of the announcement and the ticker.
    config : StudyConfig, optional
        Settings; those given by name go before them.
    offline : bool
        Never use the network.
    store, vintage : str
        As for :func:`load_returns`.
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    **settings
        Settings of :class:`StudyConfig`, also by the words of the command line: ``windows`` or
        ``window`` (to be tested, the first leads), ``event_window``, ``estimation``, ``model``,
        ``by`` ... They hold for the results and their reports. ``factors`` may be a DataFrame.

    Returns
    -------
    EventStudyResults
        Its ``notes`` say what was read otherwise than it is written.

    Raises
    ------
    EventStudyError
        For faults of the events, the settings or the prices; the message says what to do.
    NoUsableEventsError
        If no event can be studied, with the reasons.

    Notes
    -----
    The answer, its figures and the cell of a notebook begin with the group of the report: where the
    column ``direction`` has several values, with one of them. ``answer(group="")`` is of all events
    together, as are ``summary()``, ``test()`` and the tables.

    Tables in memory take the way of files: each event has the sessions of its exchange, gaps of
    prices are bridged, and faults of prices are found and named. Missing values are NaN or None.
    A DataFrame may be one of polars or of another library if narwhals is installed.

    References
    ----------
    MacKinlay, A. C. (1997), Event studies in economics and finance, Journal of Economic Literature
    35, 13-39.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"symbol": ["NVDA", "AMD"], "date": ["2022-10-07", "2022-10-07"]})
    >>> results = es.study(news, prices="sample", car="0:1")
    >>> results.car()[["ticker", "car"]].round(4).to_dict("records")
    [{'ticker': 'NVDA', 'car': -0.031}, {'ticker': 'AMD', 'car': -0.0744}]
    >>> results.notes[0]
    "the column 'symbol' of the events is read as ticker"
    """
    sources: Any = {"offline": offline, "store": store, "vintage": vintage}
    named = {"date": date, "ticker": ticker, "config": config, **sources}
    inputs = inputs_of(events, prices, returns=returns, **named, **settings)
    results = EventStudyResults.of(compute_study(inputs, progress=progress), inputs.config)
    if len(results) == 0:
        raise make_no_usable_error(results)
    return results


def make_no_usable_error(results: EventStudyResults) -> NoUsableEventsError:
    """Return the error of a study without a used event: how many, why, and what to do.

    Parameters
    ----------
    results : EventStudyResults
    """
    dropped = count_dropped(results)
    total = len(results.events)
    lines = [say("results.none_usable", n=total)]
    for reason, n in dropped[:NAMED_REASONS]:
        why = reason.facts.get("why", "")
        example = f"  {n:,}: {reason.head}"
        if why:
            example += f", e.g. {why}"
        lines.append(example if total > 1 else str(reason))
    lines += list(filter(None, (reason.remedy for reason, _ in dropped)))[:1]
    return NoUsableEventsError("\n".join(lines))


def inputs_of(
    events: Any, prices: Any = None, *, returns: Any = None, date: str = "", ticker: str = "",
    config: StudyConfig | None = None, offline: bool = False, store: str = "", vintage: str = "",
    **settings: Any,
) -> StudyInputs:  # fmt: skip
    """Return the inputs of a study.

    Parameters
    ----------
    events, prices, returns, date, ticker, config, offline, store, vintage, **settings
        As for :func:`study`.
    """
    if prices is not None and returns is not None:
        raise ConfigError("both prices and returns are given", remedy="give one of them")
    given = {"prices": prices, "returns": returns, **Setting.by_name(settings)}
    options = {name: setting for name, setting in given.items() if setting is not None}
    in_memory = {name: options[name] for name in TABLES if _is_in_memory(options.get(name, ""))}
    if config is None and "calendar" not in options:
        options["calendar"] = usual_calendar(events, options.get("returns"), ticker)
    # The settings have a word in place of each table.
    options |= dict.fromkeys(in_memory, Events.FRAME)
    config = (config or StudyConfig()).with_options(options)
    source = resolve(in_memory.pop("prices")) if "prices" in in_memory else None
    columns = {"announced_at": date or config.date, "ticker": ticker or config.ticker}
    listed = Events.given(events, config.calendar, columns)
    # A run of the results keeps the events by their usual names.
    config = replace(config, ticker="", date="")
    return StudyInputs(listed, config, offline, store, vintage, source, in_memory)


def _is_in_memory(setting: Any) -> bool:
    return not isinstance(setting, str | Path | list | tuple)


def run_study(
    events: Events | pd.DataFrame | str | Path, config: StudyConfig | None = None, *,
    offline: bool = False, store: str = "", vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> EventStudyResults:  # fmt: skip
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
    '-5.29%, 95% interval -11.75% to 1.17%'
    """
    sources: Any = {"offline": offline, "store": store, "vintage": vintage}
    return study(events, config=config, progress=progress, **sources)


def compare(
    results: Mapping[Any, EventStudyResults], windows: WindowsLike | None = None
) -> pd.DataFrame:
    """Return the answers of several results as one table.

    Parameters
    ----------
    results : mapping of name to EventStudyResults
        Such as studies with several models, or the groups of one.
    windows : window or iterable of window, optional
        By default the main one of each.

    Returns
    -------
    DataFrame
        The answer of each is that of ``answer()``: of the group that its report begins with.
        One row a name and window, with the name as index: start, stop, n_events, n_dates, estimate,
        se, ci_low, ci_high (of the effect, decimal and 95%), statistic, test (the main test),
        pvalue, reason (why there is no answer).

    Raises
    ------
    ConfigError
        If there is nothing to compare, or something else than results.

    Notes
    -----
    Results of the same events are not independent: this is no test of their difference
    (``results.difference``). Missing data: a result without a used event has NaN and a reason.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020).

    Examples
    --------
    >>> import eventstudy as es
    >>> groups = es.study("events.csv", prices="sample").groups("direction")
    >>> es.compare(groups).reset_index()[["results", "n_events", "estimate", "pvalue"]].round(4)
       results  n_events  estimate  pvalue
    0  adverse        54   -0.0068  0.0258
    1   relief        16    0.0010  0.8516
    """

    kinds = set(map(type, results.values())) if isinstance(results, Mapping) else {type(results)}
    if not isinstance(results, Mapping) or kinds != {EventStudyResults}:
        types = ", ".join(kind.__name__ for kind in kinds)
        raise make_error(ConfigError, "wrong.not_by_name", value=types)
    table: dict[Any, pd.DataFrame] = {}
    for name, one in results.items():
        member = one.of_group()
        tested = member.windows_of(member.main if windows is None else windows)
        rows = [{"start": w.start, "stop": w.stop, **answer_row(member, w)} for w in tested]
        table[" / ".join(name) if isinstance(name, tuple) else name] = pd.DataFrame(rows)
    joined: pd.DataFrame = pd.concat(table, names=["results", ""]).droplevel(1)
    return joined


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
