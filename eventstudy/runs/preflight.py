"""What a run refuses before it fetches prices: every fault of its settings and files, all at
once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.market_values import require_network
from ..errors import ConfigError, EventStudyError
from ..fitting.confounding import COLUMN, read_confounders
from ..fitting.fit import model_of, require_used
from ..report.content.tables import require_free
from ..returns.benchmarks import benchmarks_of, named_benchmarks
from ..returns.factor_files import read_factors
from ..returns.load import series_of
from ..returns.measures import shares_of
from ..utility.registry import did_you_mean

if TYPE_CHECKING:
    from ..events.table import Events
    from ..fitting.config import StudyConfig

# The setting that is at fault if a check raises, and the check.
Check = tuple[str, Callable[[], object]]


def refuse(
    config: StudyConfig,
    events: Events,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
) -> None:
    """Raise one error with everything that :func:`refusals` finds.

    Raises
    ------
    EventStudyError
        The only one that is found, or a ConfigError that names all.
    """
    found = [
        error
        for _, error in refusals(config, events, offline=offline, store=store, vintage=vintage)
    ]
    if found:
        raise found[0] if len(found) == 1 else ConfigError("\n".join(map(str, found)))


def refusals(
    config: StudyConfig,
    events: Events | None,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
) -> list[tuple[str, EventStudyError]]:
    """Return every fault of a study for which no price is needed, each behind the setting that is
    at fault.

    Parameters
    ----------
    config : StudyConfig
    events : Events or None
        Without any, what depends on their columns is not checked.
    offline, store, vintage
        As for :func:`load_returns`.
    """
    checks = [*_of_files(config), *_of_source(config, offline, store, vintage)]
    checks += [] if events is None else _of_columns(config, events)
    found: dict[str, tuple[str, EventStudyError]] = {}
    for setting, check in checks:
        try:
            check()
        except EventStudyError as error:
            # A variant has most settings of the study, and so its faults.
            if found.setdefault(str(error), (setting, error))[1] is error:
                error.where = error.where or setting
    return list(found.values())


def _of_files(config: StudyConfig) -> Iterator[Check]:
    yield "model", partial(require_used, config)
    for name in ("returns", "size"):
        path = getattr(config, name)
        if path and (name, path) != ("size", "yahoo"):
            yield name, partial(_require_file, path)
    if config.confounders:
        yield "confounders", partial(read_confounders, config.confounders)
    if config.interactive:
        from ..report.formats.plotly_page import plotly_js

        yield "interactive", plotly_js


def _of_source(config: StudyConfig, offline: bool, store: str, vintage: str) -> Iterator[Check]:
    from ..prices import resolve

    if config.size == "yahoo":
        yield "size", partial(require_network, offline)
    if not config.returns:
        own: Any = {"offline": offline, "store": store or None, "vintage": vintage or None}
        yield "prices", partial(resolve, config.prices, **own)


def _of_columns(config: StudyConfig, events: Events) -> Iterator[Check]:
    for where, column in _named(config):
        yield where, partial(_require_column, events, where, column)
        if where == "by":
            yield where, partial(require_free, column, config)
    if config.drop_confounded and not config.confounders:
        yield "drop_confounded", partial(_require_news, events)
    if config.measure == "turnover":
        yield "measure", partial(shares_of, events)
    yield "benchmark", partial(named_benchmarks, events, config.benchmark)
    yield "model", partial(_require_series, config, events)
    for name, own in config.studies.items():
        yield f"variants.{name}.model", partial(_require_series, own, events)


def _named(config: StudyConfig) -> Iterator[tuple[str, str]]:
    """Yield where columns of the events are named, and which."""
    variants = {f"variants.{name}.by": own.get("by", "") for name, own in config.variants.items()}
    for where, column in {"by": config.by, **variants}.items():
        if column not in ("", "none"):
            yield where, str(column)
    yield from (("regress", column) for column in config.regress)


def _require_column(events: Events, where: str, column: str) -> None:
    if column not in events.table.columns:
        hint = did_you_mean(column, list(events.columns_in))
        raise ConfigError(
            "the events file has no such column", where=where, value=column, remedy=hint
        )


def _require_news(events: Events) -> None:
    if COLUMN not in events.table.columns:
        raise ConfigError(
            "no other news to leave events out by",
            remedy=f"name a file with --confounders, or give the events a column {COLUMN}",
        )


def _require_file(path: str) -> None:
    if not Path(path).is_file():
        raise ConfigError("no such file", value=path)


def _require_series(config: StudyConfig, events: Events) -> None:
    """Refuse a model that needs a series which neither the events nor the settings name."""
    factors = read_factors(config.factors) if config.factors else None
    columns = () if factors is None else tuple(factors.columns)
    for factor in model_of(config, factors).factors:
        series_of(
            factor, events, benchmarks=benchmarks_of(events, config.benchmark),
            series=config.named_series, columns=columns,
        )  # fmt: skip
