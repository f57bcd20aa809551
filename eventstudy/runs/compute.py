"""What ``eventstudy run`` computes: the returns that the settings name, and the fitted study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.variant_studies import fit_sized, fit_with_variants
from ..fitting.config import StudyConfig
from ..fitting.fit import events_given, require_used

if TYPE_CHECKING:
    import pandas as pd

    from ..events.table import Events
    from ..fitting.fitted import FittedStudy


def compute_study(
    events: Events | pd.DataFrame | str | Path,
    config: StudyConfig | None = None,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> FittedStudy:
    """Return the fitted study of `config`; parameters as for :func:`eventstudy.run_study`."""
    events, config = events_given(events), config or StudyConfig()
    given: Any = {"offline": offline, "store": store, "vintage": vintage}
    require_used(config)
    if config.variants:
        return fit_with_variants(events, config, progress=progress, **given)
    return fit_sized(events, config, config.prices, progress=progress, **given)
