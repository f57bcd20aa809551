"""The answer of a study under all combinations of other choices: ``robustness``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.specifications import Specifications, specifications_table
from ..analysis.variant_studies import compute_study
from ..calendars.window import Window
from ..events.table import events_given
from ..fitting.config import StudyConfig
from ..fitting.fitted import FittedStudy
from ..fitting.grid import usual_grid
from ..fitting.inputs import StudyInputs
from ..report.figures.specification_curve import SpecificationCurve
from ..report.formats.templating import curve_file
from ..utility.csv_text import to_csv
from .event_study import EventStudy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ..events.table import Events


@dataclass(frozen=True, eq=False, repr=False)
class RobustnessResults(Specifications):
    """All specifications of a study: a frame, a figure, and a sentence (``str``).

    Examples
    --------
    >>> import eventstudy as es
    >>> config = es.StudyConfig(prices="sample")
    >>> results = es.robustness("events.csv", {"model": ["market", "market_adjusted"]}, config)
    >>> isinstance(results, es.RobustnessResults), results.summary()["n"]
    (True, 16)
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the effects of all specifications with their 95% intervals, by size.

        Parameters
        ----------
        ax : Axes, optional
            Of matplotlib.

        Returns
        -------
        Axes
        """
        from ..report.figures.robustness_plots import plot_specifications

        return plot_specifications(SpecificationCurve.of(self.table), ax)

    def save(self, out: str | Path) -> list[Path]:
        """Write ``specifications.csv`` and ``.svg``, and ``.png`` where matplotlib is there.

        Parameters
        ----------
        out : path
            Folder; made if it is not there.

        Returns
        -------
        list of Path
            The files; no figure where no specification has a result.
        """
        files = {"csv": to_csv(self.table)}
        if self.summary()["n"]:
            files["svg"] = curve_file(SpecificationCurve.of(self.table)).encode()
            if find_spec("matplotlib"):
                from ..report.figures.robustness_plots import png_of

                files["png"] = png_of(self.plot())
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        paths = {folder / f"specifications.{kind}": content for kind, content in files.items()}
        for path, content in paths.items():
            path.write_bytes(content)
        return list(paths)

    def records(self) -> list[dict[str, Any]]:
        """Return the table as rows of plain values, None for NaN."""
        return json.loads(self.table.to_json(orient="records"))  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<{len(self.table)} specifications: {self}>"


def robustness(
    study: EventStudy | Events | pd.DataFrame | str | Path,
    grid: Mapping[str, Any] | None = None,
    config: StudyConfig | None = None,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> RobustnessResults:
    """Return the answer of a study under all combinations of choices.

    Parameters
    ----------
    study : EventStudy, or events as for :func:`run_study`
        A study has its returns, and its windows and model unless the grid has others.
    grid : mapping of str to list, optional
        Choices of ``model``, ``estimation``, ``car``, ``sample`` and ``halt``, as in ``[grid]`` of
        a study file; by default that of `config`, else three models, two estimation windows and
        four windows of the effect.
    config : StudyConfig, optional
        Settings, where `study` is events.
    offline : bool
        Never use the network.
    store, vintage : str
        As for :func:`load_returns`.
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.

    Returns
    -------
    RobustnessResults

    Raises
    ------
    EventStudyError
        For faults of the grid, the events, the settings or the prices.

    Notes
    -----
    A specification without a result has NaN and a reason. See :func:`specifications_table` for the
    columns.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020).

    Examples
    --------
    >>> import eventstudy as es
    >>> config = es.StudyConfig(prices="sample")
    >>> results = es.robustness("events.csv", {"model": ["market", "market_adjusted"]}, config)
    >>> print(str(results).partition(".")[0])
    Of 16 specifications 88% have the sign of this study's effect, and 38% are significant with it
    """
    if isinstance(study, EventStudy):
        return _of_study(study, grid)
    settings = config or StudyConfig()
    settings = settings if grid is None else replace(settings, grid=grid)
    events = events_given(study, settings.calendar)
    inputs = StudyInputs(events, settings, offline, store, vintage)
    return robustness_of(inputs, progress=progress)


def robustness_of(
    inputs: StudyInputs, *, progress: Callable[[int, int], None] | None = None
) -> RobustnessResults:
    """Return the specifications of the inputs, of the usual grid where they have none.

    Parameters
    ----------
    inputs : StudyInputs
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    """
    config = replace(inputs.config, variants={}, size="")
    config = replace(config, grid=config.grid or usual_grid(config.event))
    table = compute_study(replace(inputs, config=config), progress=progress).specifications
    assert table is not None  # noqa: S101 - there is a grid
    return RobustnessResults(table)


def _of_study(study: EventStudy, grid: Mapping[str, Any] | None) -> RobustnessResults:
    """Return the specifications of a study that has its returns; its events are one sample."""
    name = study.model if isinstance(study.model, str) else study.model.name
    alike: Any = {field: getattr(study, field) for field in ("estimation", "event", "halt")}
    config = StudyConfig(model=name, by="none", windows=Window.several(study.main or []), **alike)
    config = replace(config, grid=usual_grid(config.event) if grid is None else grid)

    def fit(settings: StudyConfig) -> FittedStudy:
        """Fit the study with other settings."""
        model = study.model if settings.model == name else settings.model
        around: Any = {"estimation": settings.estimation, "halt": settings.halt}
        return replace(study, model=model, main=settings.main, **around).fitted()

    return RobustnessResults(specifications_table(study.fitted(), config, fit))
