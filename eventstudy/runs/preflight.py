"""What a study is refused for: faults, all at once before prices are fetched; no usable event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..analysis import refuse_formula, require_free
from ..errors import ConfigError, DataError, EventStudyError
from ..events import rows_where
from ..fitting import NEWS_COLUMN, FittedStudy, StudyInputs, require_network
from ..returns import Benchmarks, Sources, shares_of
from ..settings import StudyConfig
from ..utility import did_you_mean
from ..words import make_error, words


class UndecidedError(DataError):
    """No event could be studied, and a source did not answer for some: try again later."""

    exit_code = 75


# The setting that is at fault if a check raises, and the check.
Check = tuple[str, Callable[[], object]]


def refusals(inputs: StudyInputs) -> list[tuple[str, EventStudyError]]:
    """Return every fault of a study for which no price is needed, each with its setting.

    Without any event, what depends on their columns is not checked.
    """
    checks = [*_of_files(inputs), *(_of_columns(inputs) if len(inputs.events) else ())]
    errors: dict[str, tuple[str, EventStudyError]] = {}
    for setting, check in checks:
        try:
            check()
        except EventStudyError as error:
            # A specification has most settings of the study, and so its faults.
            if errors.setdefault(str(error), (setting, error))[1] is error:
                error.where = error.where or setting
    return list(errors.values())


def _of_files(inputs: StudyInputs) -> Iterator[Check]:
    from ..prices import resolve

    config = inputs.config
    yield "model", inputs.require_used
    if config.returns:
        yield "returns", partial(_require_file, config.returns)
    yield "size", lambda: inputs.sizes
    yield "confounders", lambda: inputs.news
    yield "size", partial(require_network, config.size, inputs.offline)
    if not config.returns:
        yield "prices", partial(resolve, inputs.prices, **inputs.price_options)


def _of_columns(inputs: StudyInputs) -> Iterator[Check]:
    config, events = inputs.config, inputs.events
    for where, column in _named_columns(inputs):
        yield where, partial(_require_column, inputs, where, column)
        if where == "by":
            yield where, partial(require_free, column)
    if config.drop_confounded and not config.confounders:
        yield "drop_confounded", partial(_require_news, inputs)
    if config.measure == "turnover":
        yield "measure", partial(shares_of, events)
    yield "benchmark", lambda: Benchmarks(events, config.benchmark).named
    yield "model", partial(_require_series, inputs, config)
    for name in config.grid.get("model", ()):
        yield "grid.model", partial(_require_series, inputs, config.with_model(name))
    # As the table of the events is once they are judged.
    judged = events.table.assign(status="ok", reason="", nobs=0)
    for text in config.grid.get("sample", ()):
        yield "grid.sample", partial(rows_where, judged, text)


def _named_columns(inputs: StudyInputs) -> Iterator[tuple[str, str]]:
    """Yield where columns of the events are named, and which."""
    config = inputs.config
    for where, column in {"by": config.by, "firm": config.firm}.items():
        if column not in ("", "none"):
            yield where, str(column)
    yield from (("regress", column) for column in config.regress)


def _require_column(inputs: StudyInputs, where: str, column: str) -> None:
    events = inputs.events
    if column not in events.table.columns:
        if where == "regress":
            refuse_formula(column, events.columns_in)
        hint = did_you_mean(column, events.columns_in)
        remedy = f"{hint} it has {', '.join(events.columns_in)}".strip()
        raise make_error(ConfigError, "wrong.no_column", where=where, value=column, remedy=remedy)


def _require_news(inputs: StudyInputs) -> None:
    if NEWS_COLUMN not in inputs.events.table.columns:
        raise make_error(ConfigError, "wrong.no_news", column=NEWS_COLUMN)


def _require_file(path: str) -> None:
    if not Path(path).is_file():
        raise ConfigError("no such file", value=path)


def _require_series(inputs: StudyInputs, config: StudyConfig) -> None:
    """Refuse a model that needs a series which neither the events nor the settings name."""
    events = inputs.events
    columns = () if inputs.factors is None else tuple(inputs.factors.columns)
    sources = Sources(Benchmarks(events, config.benchmark).first, config.named_series, columns)
    for factor in inputs.model_of(config).factors:
        sources.symbols_of(factor, events)


def nothing_usable(results: FittedStudy, why: str) -> DataError:
    """Return the error of a study without a usable event.

    Parameters
    ----------
    results : FittedStudy
    why : str
        The dropped events and the reasons, on lines of their own.

    Returns
    -------
    DataError
        An UndecidedError, which says to try later, if that may help.
    """
    n = len(results.events)
    problem = f"none of {n} events could be used" if n != 1 else "the one event could not be used"
    if not (silent := _silent_symbols(results)):
        return DataError(f"{problem}\n{why}")
    remedy = f"The source did not answer for {words().and_more(silent)}: try again later"
    return UndecidedError(f"{problem}\n{why}\n{remedy}")


def _silent_symbols(results: FittedStudy) -> list[str]:
    """Return the symbols that dropped events need and that no source answered for."""
    failures = results.panel.fetched.failures if results.panel.fetched else {}
    silent = {symbol for symbol, error in failures.items() if error.is_transient}
    dropped = results.events.loc[~results.ok].drop(columns="reason")
    cells = dict.fromkeys(map(str, dropped.to_numpy().ravel()))
    return list(dict.fromkeys(s for cell in cells for s in Benchmarks.members(cell) if s in silent))
