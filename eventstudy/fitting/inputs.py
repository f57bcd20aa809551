"""What a study is computed from besides prices; each file is read and checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..events.table import Events, events_from_frame, read_events
from ..models import LinearModel, make_model
from ..returns.factor_files import read_factors
from ..returns.series import MARKET
from .config import StudyConfig
from .confounding import Confounder, read_confounders
from .market_values import SizesFile, read_sizes
from .settings import within

if TYPE_CHECKING:
    import pandas as pd

# The source of market values that is no file.
YAHOO = "yahoo"


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """The events of a study, its settings, and the files that these name.

    Preflight, fit, variants and refresh take the same inputs. A file is read when its contents are
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
    """

    events: Events
    config: StudyConfig = field(default_factory=StudyConfig)
    offline: bool = False
    store: str = ""
    vintage: str = ""

    @cached_property
    def factors(self) -> pd.DataFrame | None:
        """The factors of the settings' files (dates x names, decimal returns); None without any."""
        return read_factors(self.config.factors) if self.config.factors else None

    @cached_property
    def news(self) -> list[Confounder]:
        """The other news of the settings' file; empty without one."""
        return read_confounders(self.config.confounders) if self.config.confounders else []

    @cached_property
    def sizes(self) -> SizesFile | None:
        """The file of market values that the settings name; None without one."""
        return read_sizes(self.config.size) if self.config.size not in ("", YAHOO) else None

    @property
    def price_options(self) -> dict[str, Any]:
        """The options of :func:`eventstudy.prices.resolve` besides the source."""
        vintage = self.vintage or None
        return {"offline": self.offline, "store": self.store or None, "vintage": vintage}

    def model_of(self, config: StudyConfig) -> LinearModel:
        """Return the model of the study or of a variant, bound to the factors of the files."""
        model = make_model(config.normal_model, config.model_options, cov_type=config.cov_type)
        return model.bound(() if self.factors is None else list(self.factors.columns))

    def factors_of(self, model: LinearModel) -> pd.DataFrame | None:
        """Return the factors of the files if the model uses any of them, else None."""
        names = {factor.name for factor in model.factors}
        uses = self.factors is not None and bool(names & set(self.factors.columns))
        return self.factors if uses else None

    def require_used(self) -> None:
        """Raise ConfigError for factor files and series that no model of the study uses."""
        models = [self.model_of(self.config)]
        for name, variant in self.config.studies.items():
            with within(f"variants.{name}"):
                models.append(self.model_of(variant))
        needed = {factor.name for model in models for factor in model.factors} - {MARKET.name}
        configs = [self.config, *self.config.studies.values()]
        series = [pair for config in configs for pair in config.named_series.items()]
        unused = dict.fromkeys(f"{name}={ticker}" for name, ticker in series if name not in needed)
        if unused:
            names = ", ".join(sorted(needed)) or "no further series"
            reason = f"the model {models[0].name} uses no such series"
            remedy = f"leave it out; it uses {names}, and its index is --benchmark"
            raise ConfigError(reason, where="series", value=", ".join(unused), remedy=remedy)
        if self.factors is not None and all(self.factors_of(model) is None for model in models):
            reason = f"the model {models[0].name} uses no factor of these files"
            files, remedy = (
                ", ".join(self.config.factors),
                "name one that does, such as --model ff3",
            )
            raise ConfigError(reason, where="factors", value=files, remedy=remedy)


def events_given(events: Any) -> Events:
    """Return events, read from a file or a frame where `events` is one."""
    if isinstance(events, Events):
        return events
    if isinstance(events, (str, Path)):
        return read_events(events)
    if hasattr(events, "columns"):
        return events_from_frame(events)
    remedy = "give read_events(path) or events_from_frame(frame)"
    raise ConfigError("not events", where="events", value=type(events).__name__, remedy=remedy)
