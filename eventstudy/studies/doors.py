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
    """Compute an event study from a table of events and a source of prices.

    Parameters
    ----------
    events : DataFrame, path or Events
        A table with one row per event. The column ``ticker`` (or ``symbol``) names the share, and
        ``announced_at`` (or ``date``, ``event_date``) has the date of the announcement.
    prices : DataFrame, Series, mapping, path, str or PriceProvider, optional
        Closing prices of the shares and of the market indices of their exchanges, adjusted for
        splits and dividends. The argument may have one of these forms:

        - a wide table, with dates as rows and tickers as columns
        - a long table, with the columns ``symbol``, ``date``, and ``close`` or ``adj_close``
        - a mapping with one table per ticker
        - a file or a folder
        - the name of a source, such as ``"sample"`` or ``"yahoo"``
        - a :class:`PriceProvider`: an object with a ``name`` and the method ``fetch``

        By default, the function takes the source of prices in `config`. Without a `config`, the
        source is ``"auto"``: the price cache on your computer, which the function updates from
        Yahoo.
    returns : DataFrame or path, optional
        Daily returns to use instead of prices, as decimals: 0.01 is 1%. The table may be wide (one
        column per ticker), or long with the columns ``date``, ``ticker`` and ``ret``.
    date, ticker : str
        If the columns of `events` have other names, write here which column has the date of the
        announcement, and which has the ticker.
    config : StudyConfig, optional
        Settings of the study, as one object. A setting that is also given in `**settings` replaces
        the one in `config`.
    offline : bool
        If true, the network is never used.
    store, vintage : str
        `store` is the path of the price cache. `vintage` is a past date: the study uses the prices
        that the cache had then. Both are explained in :func:`load_returns`.
    progress : callable, optional
        While the function fetches prices, it calls ``progress(done, total)``. Here ``done`` is the
        number of symbols fetched so far, and ``total`` is the number of all symbols.
    **settings
        Single settings of the study, such as ``model="market"``. The names of the settings are
        those of :class:`StudyConfig` or of the options of ``eventstudy run``. ``windows`` lists the
        windows to test; the first one is the main window. ``factors`` may be a DataFrame of factor
        returns.

    Returns
    -------
    EventStudyResults
        The results of the study. The attribute ``notes`` of the results lists messages, for example
        about errors in the prices.

    Raises
    ------
    EventStudyError
        If the events, the settings or the prices have errors. The message says what to do.
    NoUsableEventsError
        If no event can be studied. The message gives the reasons.

    Notes
    -----
    If the column ``group`` of the events, or else the column ``direction``, has several values, the
    events with the same value form a group. The method ``answer()``, its figures and the display in
    a notebook are about one group only: of the groups with a result, the one with the most events.
    The methods ``summary()`` and ``test()`` and the tables of the results are about all events
    together. For an answer about all events, use ``answer(group="")``.

    The days of an event are the trading days of the exchange of its share. If a share has no price
    from Tuesday to Thursday, its return of Friday covers four trading days. Missing results are NaN
    or None. If the package narwhals is installed, you can also pass a DataFrame of polars or of
    another library.

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
    """Compute an event study with the settings in `config`, as ``eventstudy run`` does.

    Parameters
    ----------
    events : Events, DataFrame or path
        The events: a DataFrame or file that :func:`read_events` can read, or the Events object that
        this function returns.
    config : StudyConfig, optional
        The settings of the study, including the source of the prices or returns. By default, all
        settings have their default values.
    offline : bool
        If true, the function never uses the network.
    store, vintage : str
        `store` is the path of the price cache. `vintage` is a past date: the study uses the prices
        that the cache had then. Both are explained in :func:`load_returns`.
    progress : callable, optional
        As in :func:`study`.

    Returns
    -------
    EventStudyResults

    Raises
    ------
    EventStudyError
        If the events, the settings or the prices have errors.

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
    """Return a table with the main results of several studies, or of several groups of events.

    Parameters
    ----------
    results : mapping of name to EventStudyResults
        The results to compare, each under a name. They may come from studies with different models,
        or from the groups of one study, such as ``results.groups("direction")``.
    windows : window or iterable of window, optional
        The windows to compare. By default, the table shows each result for its own main window.

    Returns
    -------
    DataFrame
        One row per result and window. The row labels (index) are the names of the results. All
        numbers are those of :meth:`EventStudyResults.answer`. If a study has groups of events, its
        numbers are about one group: of the groups with a result, the one with the most events. The
        columns are:

        - start, stop: first and last day of the window, counted from day 0
        - n_events, n_dates: number of events, and of different dates of day 0
        - estimate, se: mean effect as a decimal, and its standard error
        - ci_low, ci_high: ends of the 95% interval of the effect
        - test, statistic, pvalue: name, statistic and p-value of the main test
        - reason: why numbers are missing in this row

    Raises
    ------
    ConfigError
        If `results` is empty, or contains an object that is not an EventStudyResults.

    Notes
    -----
    The table does not test whether two results differ. To test the difference between two groups of
    events, use the method :meth:`EventStudyResults.difference`.

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
    """An event study with its events and returns, before the model of normal returns is estimated.

    The method :meth:`fit` estimates the model and returns the results.

    Parameters
    ----------
    events : Events, DataFrame or path
        The events. A DataFrame or file has the form that :func:`read_events` describes.
    returns : ReturnsPanel or DataFrame
        Returns of the shares and of their benchmarks. A DataFrame has the form that
        :meth:`ReturnsPanel.from_frame` describes. If the share or the benchmark of an event has no
        returns, the event is dropped, and the results give the reason.
    model : str or LinearModel
        Name of a model of normal returns, such as ``"market"``, or an instance of a model class.
    estimation, event : Window or (start, stop)
        Estimation window and event window, in trading days relative to day 0 of the event.
    benchmark : str
        Ticker of one index for all events. By default, each event uses the index in its column
        ``benchmark``, or else the index of its exchange.
    benchmark_policy : {"fallback", "strict"}
        What to do if the index in the column ``benchmark`` lacks returns. With "fallback", the
        event uses an index of its exchange instead. With "strict", the event gets no other index.
        If the index then has too few returns, the event is dropped.
    engine : {"statsmodels", "batch"}
        How the least-squares estimates are computed, as in :class:`StudyConfig`.
    min_estimation : int
        Smallest number of estimation days. An event that has complete data on fewer estimation days
        gets the flag ``short_estimation``.
    factors : DataFrame, optional
        Decimal returns of the factors, for a model that needs factors. The table has one row per
        date and one column per factor. The function :func:`read_factors` reads such a table from a
        file.
    series : mapping of str to ticker
        Tickers of return series that the model needs besides the market, such as ``{"world":
        "URTH"}`` for a world index. All events use the same series.
    conventions : Conventions
        Settings of the significance tests.
    halt : {"calendar", "shift"}
        How to count days during a trading halt, as in :class:`StudyConfig`. With "shift", day 0 of
        an announcement in a halt is the session on which trading resumes.
    halt_drift : int
        Used only with the halt "shift", as in :class:`StudyConfig`.
    repeat : {"mask", "first", "keep-all"}
        How to treat several events of one firm, as in :class:`StudyConfig`.
    left_out : sequence of n str
        One text for each event: the reason why the study does not use the event, or "" if it uses
        the event. By default, the study uses all events.
    main : Window or (start, stop), optional
        The main window, over which the main result is computed. The default is [0,1]. If the event
        window does not contain [0,1], the main window is the first of [0,0], [-10,-2] and [2,10]
        that it contains, or else the event window itself. If a price move in the main window looks
        like an error of the data, the event gets the flag ``suspect_split`` or ``suspect_move``.

    Raises
    ------
    ConfigError
        If an argument has the wrong type, if a model or another choice does not exist, or if the
        windows are invalid or overlap.

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
        """Estimate the model for every event and return the results.

        Returns
        -------
        EventStudyResults

        Raises
        ------
        ConfigError
            If the model needs a return series that is not available.
        """
        return EventStudyResults.of(self.fitted())

    def __repr__(self) -> str:
        model = self.model if isinstance(self.model, str) else self.model.name
        return f"<event study of {len(self.events)} events, model {model}, not fitted yet>"

    def _repr_html_(self) -> str:
        hint = f"{repr(self)[1:-1]}: fit() estimates it"
        return f"<p>{escape(hint)}</p>{self.returns._repr_html_()}{self.events._repr_html_()}"
