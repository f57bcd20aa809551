"""What a study is computed from besides prices; each file is read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from ..errors import ConfigError
from ..events import Events
from ..files import frame_of
from ..models import MODELS, LinearModel
from ..prices import PriceProvider
from ..returns import Factor, checked_factors, read_factors
from ..settings import StudyConfig
from ..words import make_error
from .market_values import YAHOO, SizesFile, read_sizes
from .press import Confounder, read_confounders


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """The events of a study, its settings, and the files that these name.

    Preflight, fit and refresh take the same inputs. A file is read when its contents are
    first needed, and never again.

    Attributes
    ----------
    events : Events
    config : StudyConfig
    offline : bool
        Never use the network.
    store : str
        The price cache; "" = ``$EVENTSTUDY_STORE``, or the user's.
    vintage : str
        ISO date or time: only what the price cache had then; "" = the newest.
    source : PriceProvider, optional
        Prices that the settings do not name.
    tables : mapping of str to table
        Tables by name of the setting, ``returns`` or ``factors``, in place of its files.
    """

    events: Events
    config: StudyConfig = field(default_factory=StudyConfig)
    offline: bool = False
    store: str = ""
    vintage: str = ""
    source: PriceProvider | None = None
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prices(self) -> str | PriceProvider:
        """The source of prices."""
        return self.source or self.config.prices

    @cached_property
    def factors(self) -> pd.DataFrame | None:
        """The factors of the settings' files (dates x names, decimal returns); None without any."""
        if "factors" in self.tables:
            return checked_factors(frame_of(self.tables["factors"], "factors"))
        if not self.config.factors:
            return None
        return read_factors(self.config.factors, store=self.store, offline=self.offline)

    @cached_property
    def news(self) -> list[Confounder]:
        """The other news of the settings' file; empty without one."""
        return read_confounders(self.config.confounders) if self.config.confounders else []

    @cached_property
    def sizes(self) -> SizesFile | None:
        """The file of market values that the settings name; None without one."""
        if self.config.size in ("", YAHOO):
            return None
        return read_sizes(self.config.size, self.events.table["ticker"].tolist())

    @property
    def price_options(self) -> dict[str, Any]:
        """The options of :func:`eventstudy.prices.resolve` besides the source."""
        vintage = self.vintage or None
        options = {"offline": self.offline, "store": self.store or None, "vintage": vintage}
        return {**options, "fill": self.config.fill}

    def model_of(self, config: StudyConfig) -> LinearModel:
        """Return the model of settings of the study, bound to the factors of the files."""
        model = MODELS.make(config.normal_model, config.model_options, cov_type=config.cov_type)
        return model.bound(() if self.factors is None else list(self.factors.columns))

    def factors_of(self, model: LinearModel) -> pd.DataFrame | None:
        """Return the factors of the files if the model uses any of them, else None."""
        names = {factor.name for factor in model.factors}
        uses = self.factors is not None and bool(names & set(self.factors.columns))
        return self.factors if uses else None

    def without_grid(self) -> StudyInputs:
        """Return the inputs of the main model alone.

        Factor files and series that only other models of the grid use are left out with the grid.
        """
        config = replace(self.config, grid={})
        model = self.model_of(config)
        tables = dict(self.tables)
        if self.factors_of(model) is None:
            config = replace(config, factors=())
            tables.pop("factors", None)
        needed = {factor.name for factor in model.factors}
        series = self.config.named_series.items()
        used = tuple(f"{name}={ticker}" for name, ticker in series if name in needed)
        return replace(self, config=replace(config, series=used), tables=tables)

    def require_used(self) -> None:
        """Raise ConfigError for factor files and series that no model of the study uses."""
        in_grid = map(self.config.with_model, self.config.grid.get("model", ()))
        models = [self.model_of(config) for config in (self.config, *in_grid)]
        needed = {factor.name for model in models for factor in model.factors}
        needed.discard(Factor.MARKET.name)
        series = self.config.named_series.items()
        unused = dict.fromkeys(f"{name}={ticker}" for name, ticker in series if name not in needed)
        if unused:
            facts: Any = {"where": "series", "value": ", ".join(unused)}
            facts |= {"model": models[0].name, "names": sorted(needed) or ["no further series"]}
            raise make_error(ConfigError, "setting.unused_series", **facts)
        if self.factors is not None and all(self.factors_of(model) is None for model in models):
            facts = {"where": "factors", "value": ", ".join(self.config.factors)}
            raise make_error(ConfigError, "setting.no_factor", model=models[0].name, **facts)
