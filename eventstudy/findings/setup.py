"""What a study is: its settings, model, windows, and how many events it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from ..abnormal import Conventions
from ..calendars import Window
from ..models import Engine
from ..quality import ReturnKind
from ..returns import Measure
from ..settings import StudyConfig
from ..utility import Day


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model of normal returns, as the methods describe it.

    Attributes
    ----------
    name, label, formula, source : str
        As in the registry of models.
    factors, parameters : tuple of str
        Names of the factors of the model and of what it estimates for each event.
    least_squares, exact, forecasts_variance : bool
        How it is estimated, and whether the variance of a CAR is that of the estimator.
    cov_type : str
        Covariance of the parameters, "nonrobust" for the classical one.
    freedom_lost : tuple of int
        Values of M - degrees of freedom over the used events, ascending.
    instead_of : str
        Model that was asked for where the index of the only event is not free; else "".
    """

    name: str
    label: str
    formula: str
    source: str
    factors: tuple[str, ...]
    parameters: tuple[str, ...]
    least_squares: bool
    exact: bool
    forecasts_variance: bool
    cov_type: str
    freedom_lost: tuple[int, ...]
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the study is: its settings, model, windows, and how many events it has.

    Attributes
    ----------
    settings : dict
        The settings by their names in a study file.
    measure, kind, engine : str
        What is studied ("return", "volume" ...), simple or log returns, and the engine of the fit.
    model : ModelFacts
    main, estimation, event : Window
    tested : tuple of Window
        The windows of the tables, in their order.
    conventions : dict
        What tests do where authors differ, see :class:`~eventstudy.Conventions`.
    group_column : str
        Column that splits the events; "" for one sample.
    n_events, n_used, n_firms : int
        Events in the file, events used, and companies among these.
    is_sampled : bool
        Whether only the most unusual of very many events are listed one by one.
    first, last : str
        Earliest and latest day 0 of the used events (ISO date); "" without any.
    benchmarks, directions : tuple of str
        Distinct values of the used events.
    estimation_days : tuple of int
        Smallest and largest number of complete estimation days; empty without used events.
    has_repeats : bool
        Whether a company has several used events.
    overlapped, confounded, extended : int
        Events left out for an earlier event of the firm, events left out for other news, and
        events whose CAR runs on beyond a price limit in some window.
    issues : dict of str to int
        Price-data issues in the windows of used events by kind, the most frequent first.
    currency, sizes_source : str
        Of the market values; "" without any.
    """

    settings: Annotated[Mapping[str, Any], StudyConfig]
    measure: Measure
    kind: ReturnKind
    engine: Engine
    model: ModelFacts
    main: Window
    estimation: Window
    event: Window
    tested: tuple[Window, ...]
    conventions: Annotated[Mapping[str, Any], Conventions]
    group_column: str
    n_events: int
    n_used: int
    n_firms: int
    is_sampled: bool
    first: Day
    last: Day
    benchmarks: tuple[str, ...]
    directions: tuple[str, ...]
    estimation_days: tuple[int, ...]
    has_repeats: bool
    overlapped: int
    confounded: int
    extended: int
    issues: Mapping[str, int]
    currency: str
    sizes_source: str
