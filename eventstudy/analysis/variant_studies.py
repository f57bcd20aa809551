"""A study and its variants, fitted to the same prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..fitting.config import MAIN, StudyConfig
from ..fitting.fit import fit_config
from ..fitting.fitted import FittedStudy
from ..fitting.settings import within
from ..prices import resolve
from ..prices.shared import SharedSource
from ..returns.index_baskets import days_around
from ..utility.log import note
from .market_values import with_market_values

if TYPE_CHECKING:
    from ..events.table import Events
    from ..prices import PriceProvider
    from ..returns import ReturnsPanel


def fit_with_variants(
    events: Events,
    config: StudyConfig,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> FittedStudy:
    """Fit the study and each of its variants; prices are fetched once, and all of them are in its
    panel.

    Returns
    -------
    FittedStudy
        Of the study itself; ``variants`` is the table of
        :func:`eventstudy.analysis.variants.variants_table`.
    """
    from .variants import variants_table

    studies = {MAIN: config, **config.studies}
    if config.returns:
        found = _fitted(events, studies, config.prices, offline, progress)
    else:
        source = resolve(
            config.prices, offline=offline, store=store or None, vintage=vintage or None
        )
        shared = SharedSource(source, *_further(studies.values()))
        found = _fitted(events, studies, shared, offline, progress)
        while shared.regrown:
            # A study that came first has seen fewer rows than are kept.
            shared.regrown = False
            found = _fitted(events, studies, shared, offline, None)
        found[MAIN] = replace(found[MAIN], panel=_with_prices(found[MAIN].panel, shared))
    results = found.pop(MAIN)
    return replace(results, variants=variants_table(results, config, found))


def fit_sized(
    events: Events,
    config: StudyConfig,
    prices: str | PriceProvider,
    *,
    offline: bool = False,
    **options: Any,
) -> FittedStudy:
    """Fit a study, with the market values that its settings name."""
    study = fit_config(events, config, prices, offline=offline, **options)
    if not config.size:
        return study
    return with_market_values(study, config.size, currency=config.currency, offline=offline)


def _fitted(
    events: Events,
    studies: dict[str, StudyConfig],
    prices: str | SharedSource,
    offline: bool,
    progress: Callable[[int, int], None] | None,
) -> dict[str, FittedStudy]:
    found: dict[str, FittedStudy] = {}
    for name, own in studies.items():
        if name == MAIN:
            found[name] = fit_sized(events, own, prices, offline=offline, progress=progress)
            continue
        note("variant", name=name)
        with within(f"variants.{name}"):
            found[name] = fit_sized(events, own, prices, offline=offline)
    return found


def _further(studies: Iterable[StudyConfig]) -> tuple[int, int]:
    """Return how many calendar days the study that reaches furthest needs before and after the
    shortest."""
    before, after = zip(*(days_around(s.estimation, s.event) for s in studies), strict=True)
    return max(before) - min(before), max(after) - min(after)


def _with_prices(panel: ReturnsPanel, shared: SharedSource) -> ReturnsPanel:
    """Return the panel of the study with what its variants were computed from among its prices."""
    prices = shared.prices
    if prices is None or panel.fetched is None:
        return panel
    provenance = {symbol: vars(p) for symbol, p in prices.provenance.items()}
    fetched = replace(prices, notices=panel.fetched.notices)
    return replace(panel, prices=prices.table, provenance=provenance, fetched=fetched)
