"""The answer of a study under all combinations of other choices: ``robustness``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from ..analysis import Specifications, compute_study, specifications_table
from ..calendars import Window
from ..errors import ConfigError
from ..events import Events
from ..files import to_csv
from ..fitting import StudyInputs
from ..prices import PriceProvider
from ..report import curve_file, plot_specifications
from ..settings import StudyConfig
from ..words import make_error
from .doors import EventStudy, inputs_of
from .results import EventStudyResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class RobustnessResults(Specifications):
    """Main results of a study that is repeated under different settings, such as several models.

    The attribute ``table`` has one row for each combination of settings. The columns estimate,
    ci_low, ci_high and pvalue have its mean effect, the 95% interval and the p-value. If a
    combination gives no result, these numbers are NaN, and the column reason says why. If you print
    the object, it summarises the results in sentences.

    Examples
    --------
    >>> import eventstudy as es
    >>> config = es.StudyConfig(prices="sample")
    >>> results = es.robustness("events.csv", {"model": ["market", "market_adjusted"]}, config)
    >>> isinstance(results, es.RobustnessResults), results.summary()["n"]
    (True, 8)
    """

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean effects of all combinations of settings with 95% intervals, smallest first.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw into. The default is a new figure.

        Returns
        -------
        Axes
        """

        return plot_specifications(self.table, ax)

    def save(self, out: str | Path) -> list[Path]:
        """Write the results of all combinations of settings as CSV tables and as a figure.

        If no combination has a result, no figure is written.

        Parameters
        ----------
        out : path
            Folder of the files. A missing folder is created. If it already has a
            ``specifications.csv`` that differs from the new one, the new files get other names,
            such as ``specifications-2.csv``.

        Returns
        -------
        list of Path
            Paths of the files:

            - ``specifications.csv``: a table with one row per combination of settings
            - ``specifications_by_choice.csv``: a table with one row per value of each setting that
              varies
            - ``specifications.svg``: the figure
            - ``specifications.png``: the figure, if matplotlib is installed
        """
        files = {".csv": to_csv(self.table), "_by_choice.csv": to_csv(self.by_choice())}
        if self.summary()["n"]:
            files[".svg"] = curve_file(self.table).encode()
            if find_spec("matplotlib"):
                files[".png"] = _png_of(self.plot())
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        stems = (f"specifications{f'-{k}' * (k > 1)}" for k in count(1))
        stem = next(name for name in stems if _is_free(folder / f"{name}.csv", files[".csv"]))
        paths = {folder / f"{stem}{kind}": content for kind, content in files.items()}
        for path, content in paths.items():
            path.write_bytes(content)
        return list(paths)

    def __repr__(self) -> str:
        return f"<{len(self.table)} specifications: {self}>"


def _is_free(path: Path, content: bytes) -> bool:
    """Return whether there is no file, or one with these bytes."""
    return not path.exists() or path.read_bytes() == content


def _png_of(axes: Axes) -> bytes:
    """Return the figure of axes as the bytes of a PNG file."""
    file = BytesIO()
    figure = cast("Any", axes.figure)
    figure.savefig(file, format="png", dpi=144, metadata={"Software": None})
    return file.getvalue()


def robustness(
    study: EventStudy | EventStudyResults | Events | pd.DataFrame | str | Path,
    grid: Mapping[str, Any] | None = None, config: StudyConfig | None = None, *,
    prices: pd.DataFrame | PriceProvider | str | Path | None = None,
    progress: Callable[[int, int], None] | None = None, **settings: Any,
) -> RobustnessResults:  # fmt: skip
    """Repeat a study with every combination of several models, windows and other choices.

    Parameters
    ----------
    study : EventStudy, EventStudyResults, or events as for :func:`study`
        A study, its results, or events (a table or a file). The function adds the study's own
        model, estimation window and main window to `grid` if they are not there.
    grid : mapping of str to list, optional
        The choices to combine, for example ``{"model": ["market", "market_adjusted"]}``. The keys
        may be ``model``, ``estimation`` (estimation windows), ``car`` (windows of the CAR),
        ``sample`` (conditions that select events) and ``halt`` (how to count days of a trading
        halt). By default, the function uses the grid of `config`. If `config` has no grid, the
        function combines three models, two estimation windows and four windows of the CAR.
    config : StudyConfig, optional
        Settings of the study. Give them only if `study` is a table or file of events.
    prices : DataFrame, path, str or PriceProvider, optional
        The source of prices, as in :func:`study`. Give it only if `study` is a table or file of
        events.
    progress : callable, optional
        As in :func:`study`.
    **settings
        Other arguments of :func:`study`, such as ``returns``, ``date``, ``offline`` and ``model``.
        Give them only if `study` is a table or file of events.

    Returns
    -------
    RobustnessResults
        Its attribute ``table`` has one row per combination of choices. If a combination gives no
        result, its row has NaN and the reason.

    Raises
    ------
    EventStudyError
        If the grid, the events, the settings or the prices have errors.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020).

    Examples
    --------
    >>> import eventstudy as es
    >>> models = {"model": ["market", "market_adjusted"]}
    >>> results = es.robustness("events.csv", models, prices="sample")
    >>> print(str(results).partition(".")[0])
    Of 8 specifications 100% have the sign of this study's effect, and 75% are significant with it
    """
    if not isinstance(study, EventStudy | EventStudyResults):
        settings |= {} if grid is None else {"grid": grid}
        return robustness_of(inputs_of(study, prices, config=config, **settings), progress=progress)
    if config or prices is not None or settings:
        raise make_error(ConfigError, "wrong.has_settings")
    return _of_study(study, grid)


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
    config = replace(inputs.config, size="")
    config = replace(config, grid=config.grid or config.choices.to_dict())
    inputs = replace(inputs, config=config)
    table = compute_study(inputs, progress=progress, most_fits=np.inf).specifications
    assert table is not None  # noqa: S101 - there is a grid
    return RobustnessResults(table)


def _of_study(
    study: EventStudy | EventStudyResults, grid: Mapping[str, Any] | None
) -> RobustnessResults:
    """Return the specifications of a study that has its returns.

    The events of one that is not fitted are one sample.
    """
    if isinstance(study, EventStudyResults):
        config = replace(study.settings, size="")
        config = replace(config, grid=config.choices.to_dict() if grid is None else grid)
        return RobustnessResults(specifications_table(study, config, most_fits=np.inf))
    name = study.model if isinstance(study.model, str) else study.model.name
    alike: Any = {field: getattr(study, field) for field in ("estimation", "event", "halt")}
    config = StudyConfig(model=name, by="none", windows=Window.several(study.main or []), **alike)
    config = replace(config, grid=config.choices.to_dict() if grid is None else grid)
    return RobustnessResults(specifications_table(study.fitted(), config, most_fits=np.inf))
