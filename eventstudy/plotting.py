"""The figures that one asks of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .windows import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .results import EventStudyResults, WindowLike


class Plots:
    """Methods that draw results; each takes axes to draw into, and returns them."""

    def plot_caar(
        self, window: WindowLike | None = None, by: str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the CAAR path with its pointwise 95% band, by group if asked for; return the Axes."""
        from .report.plots import plot_caar

        return plot_caar(_own(self), _window(window), by, ax)

    def plot_car_forest(self, window: WindowLike = (0, 1), ax: Axes | None = None) -> Axes:
        """Draw the CAR of each event with its 95% interval; return the Axes."""
        from .report.plots import plot_car_forest

        return plot_car_forest(_own(self), Window.of(window), ax=ax)

    def plot_event(self, event_id: str, window: WindowLike | None = None, ax: Axes | None = None) -> Axes:
        """Draw AR and CAR of one event; return the Axes."""
        from .report.event.plots import plot_event

        return plot_event(_own(self), event_id, _window(window), ax)

    def plot_price(self, event_id: str, window: WindowLike | None = None, ax: Axes | None = None) -> Axes:
        """Draw the price of one event against what the model expected; return the Axes."""
        from .report.event.plots import plot_price

        return plot_price(_own(self), event_id, _window(window), ax)

    def plot_estimation(
        self, event_id: str, window: WindowLike | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the estimation days of one event with the line of the model; return the Axes."""
        from .report.event.plots import plot_estimation

        return plot_estimation(_own(self), event_id, _window(window), ax)

    def plot_ar_heatmap(self, window: WindowLike | None = None, ax: Axes | None = None) -> Axes:
        """Draw the abnormal returns of all events and days as colours; return the Axes."""
        from .report.event.plots import plot_ar_heatmap

        return plot_ar_heatmap(_own(self), _window(window), ax)


def _own(results: Plots) -> EventStudyResults:
    return cast("EventStudyResults", results)


def _window(window: WindowLike | None) -> Window | None:
    return None if window is None else Window.of(window)
