"""A study computed from its inputs, with the market values and the grid that its settings name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..fitting import FittedStudy, StudyInputs, fit_config, with_market_values
from ..settings import within
from .placebos.shifted_dates import MOST_FITS
from .robustness.specifications import specifications_table


def compute_study(
    inputs: StudyInputs, *, progress: Callable[[int, int], None] | None = None,
    most_fits: float = MOST_FITS,
) -> FittedStudy:  # fmt: skip
    """Return the fitted study of the inputs, with market values and a grid if they name some.

    Parameters
    ----------
    inputs : StudyInputs
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    most_fits : float
        As for :func:`eventstudy.analysis.robustness.specifications.specifications_table`.

    Returns
    -------
    FittedStudy
        An event without a market value has NaN there. ``specifications`` is the table of
        :func:`eventstudy.analysis.robustness.specifications.specifications_table`.

    Raises
    ------
    EventStudyError
        As :func:`fit_config` and :func:`with_market_values` do.
    """
    inputs.require_used()
    config = inputs.config
    study = fit_config(inputs, config, inputs.prices, progress=progress)
    if config.size:
        source = inputs.sizes or config.size
        study = with_market_values(study, source, currency=config.currency, offline=inputs.offline)
    if config.grid:
        with within("grid"):
            table = specifications_table(study, config, most_fits=most_fits)
            study = replace(study, specifications=table)
    return study
