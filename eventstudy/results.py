"""What a finished study knows, and the tables one asks of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .abnormal import AbnormalReturns
from .canonical import BLANK
from .config import StudyConfig
from .errors import ConfigError
from .layout import Layout
from .listing import Rows, many, part_of_many
from .models import LinearModel
from .plotting import Plots
from .registry import did_you_mean
from .returns import ReturnsPanel
from .sampled import chosen
from .saving import Saves
from .significance import STATISTICS, SignificanceTest
from .significance._base import pvalues
from .typing import Alternative, BoolArray, IntArray
from .windows import Window

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults

    from .analysis.answer import Answer
    from .analysis.cross_section import CarRegression
    from .analysis.diagnosis import Diagnosis
    from .analysis.groups import Difference
    from .analysis.long_horizon import Against
    from .analysis.placebo import Placebo
    from .analysis.summary import Summary
    from .analysis.weights import DollarLoss, WeightedMean
    from .loading.sizes import MarketValues

WindowLike = Window | tuple[int, int] | str
WindowsLike = WindowLike | Iterable[WindowLike]
TESTS = ["test", "start", "stop", "n_events", "statistic", "pvalue", "distribution", "estimate", "reason"]


@dataclass(frozen=True, eq=False, repr=False)
class EventStudyResults(Plots, Saves):
    """Results of :meth:`EventStudy.fit`. Tests are chosen here and never refit the model.

    Attributes
    ----------
    abnormal : AbnormalReturns
        One row per event, in the order of `events`; rows of dropped events are NaN.
    events : DataFrame
        The events with day0, benchmark (the index used), status ("ok" or "dropped"), reason, flags and nobs.
    panel : ReturnsPanel
    model : LinearModel
    engine : str
    layout : Layout, optional
        Where the returns of the events are, for placebo dates and firms.
    sizes : MarketValues, optional
        Market values before each day of the event windows; else those in the column ``mcap`` count.
    variants : DataFrame, optional
        What variants of the study say beside it, where it has any; of all events, so of no subset.
    """

    abnormal: AbnormalReturns
    events: pd.DataFrame
    panel: ReturnsPanel
    model: LinearModel
    engine: str
    layout: Layout | None = None
    sizes: MarketValues | None = None
    variants: pd.DataFrame | None = None
    _groups: dict[str, dict[str, EventStudyResults]] = field(init=False, default_factory=dict, repr=False)
    _answers: dict[Window, Answer] = field(init=False, default_factory=dict, repr=False)
    _diagnoses: dict[Window, Diagnosis] = field(init=False, default_factory=dict, repr=False)
    _placebos: dict[tuple[Any, ...], Placebo] = field(init=False, default_factory=dict, repr=False)

    def __len__(self) -> int:
        return int(self.ok.sum())

    @cached_property
    def ok(self) -> BoolArray:
        """Which events were used, shape (n,)."""
        return np.asarray(self.events["status"].to_numpy() == "ok", dtype=bool)

    @cached_property
    def records(self) -> Sequence[dict[str, Any]]:
        """The rows of `events`, each a cell by column."""
        if many(self):
            return Rows(self.events)
        names = [str(column) for column in self.events.columns]
        rows = self.events.itertuples(index=False, name=None)
        return [dict(zip(names, row, strict=True)) for row in rows]

    @property
    def main(self) -> Window:
        """The window of the headline unless another is asked for: [0,1] if the event window holds it."""
        return self._config.main

    def main_test(self, window: WindowLike | None = None) -> str:
        """Return the name of the test that decides over `window`, by default the main one."""
        return self.answer(window).test

    def answer(self, window: WindowLike | None = None) -> Answer:
        """Return verdict, main test, estimate and interval over `window`; see ``analysis.answer.answer``."""
        from .analysis.answer import answer

        asked = self.main if window is None else Window.of(window)
        if asked not in self._answers:
            self._answers[asked] = answer(self, asked)
        return self._answers[asked]

    def test(
        self, name: str, window: WindowLike, *, alternative: Alternative = "two-sided", **conventions: Any
    ) -> SignificanceTest:
        """Return the result of one test over one window; see ``eventstudy list tests`` for the names.

        `conventions` are fields of :class:`Conventions`, such as ``scar="sum"``.
        """
        abnormal = self.abnormal.under(**conventions) if conventions else self.abnormal
        return STATISTICS[name](abnormal, Window.of(window), alternative=alternative)

    def tests(self, windows: WindowsLike | None = None, names: Iterable[str] | None = None) -> pd.DataFrame:
        """Return all tests over all windows, one row each, in the columns of ``tables/tests.csv``.

        Parameters
        ----------
        windows : window or iterable of window, optional
            By default the standard windows that fit into the event window.
        names : iterable of str, optional
            By default all tests of a sample, or the single-event t if there is one event only.
        """
        asked = self._windows(windows)
        chosen = list(names) if names else [*self.all_tests, *self._of_one_car(asked)]
        rows = []
        for window in asked:
            for name in chosen:
                t = self.test(name, window)
                rows.append(
                    (name, window.start, window.stop, t.n_events, *t, t.distribution, t.estimate, t.reason)
                )
        return pd.DataFrame(rows, columns=TESTS)

    @property
    def all_tests(self) -> list[str]:
        """Names of all tests that speak of this number of events; of very many only those of summaries."""
        single = len(self) == 1
        asked = (name for name, entry in STATISTICS.items() if entry.per_event == single)
        return [name for name in asked if STATISTICS[name].core or not part_of_many(self.abnormal)]

    def _of_one_car(self, windows: list[Window]) -> list[str]:
        """Return the tests of single events, if one of several events is alone with its CAR over a window."""
        if len(self) < 2 or all(self.abnormal.valid(w).sum() != 1 for w in windows):
            return []
        return [name for name, entry in STATISTICS.items() if entry.per_event]

    @property
    def default_tests(self) -> list[str]:
        """Names of the tests that summaries show unasked, the main test first."""
        usual = (name for name in self.all_tests if STATISTICS[name].core)
        return list(dict.fromkeys([self.main_test(), *usual]))

    @property
    def aar(self) -> pd.Series[float]:
        """Average abnormal return by event day (decimal)."""
        return pd.Series(self.abnormal.aar, index=pd.Index(self.abnormal.event.days, name="tau"), name="aar")

    @property
    def caar(self) -> pd.Series[float]:
        """Mean CAR from the first day up to each day, of the events that have all of these (decimal)."""
        return pd.Series(
            self.abnormal.caar, index=pd.Index(self.abnormal.event.days, name="tau"), name="caar"
        )

    def aar_table(self) -> pd.DataFrame:
        """Return tau, n_events, aar, n_complete, caar of each day, limits not extended.

        `aar` is the mean AR of the n_events that have one of this day alone; `caar` the mean CAR from the
        first day of the event window up to that day, of the n_complete that have all of it.
        """
        return pd.DataFrame({
            "tau": self.aar.index, "n_events": self.abnormal.in_aar, "aar": self.aar.to_numpy(),
            "n_complete": self.abnormal.complete, "caar": self.caar.to_numpy(),
        })  # fmt: skip

    def car(self, windows: WindowsLike | None = None) -> pd.DataFrame:
        """Return the CAR of each usable event over each window with the exact single-event t-test.

        Columns event_id, ticker, start, stop, car, se, statistic, pvalue, scar, bhar, n_days, ci_low,
        ci_high, n_sessions, last_session. NaN where the event lacks days of the window; n_days counts the
        days of the window that it has. n_sessions and last_session are those that enter the CAR: a window
        that closes at a price limit runs on to the first close off it, and a return may span sessions.
        """
        rows = np.flatnonzero(self.ok)
        return pd.concat([self._car(Window.of(w), rows) for w in self._windows(windows)], ignore_index=True)

    def _car(self, window: Window, rows: IntArray) -> pd.DataFrame:
        from .report.plots import own_half_widths

        a = self.abnormal
        t, half = a.car_t(window)[rows], own_half_widths(self, window)
        sessions, last = a.sessions_of(window)
        p = pvalues(t, a.df_resid[rows])
        return pd.DataFrame({
            **self._ids(rows), "start": window.start, "stop": window.stop, "car": a.car(window)[rows],
            "se": np.sqrt(a.var_car(window))[rows], "statistic": t, "pvalue": p,
            "scar": a.scar(window)[rows],
            "bhar": a.bhar(window)[rows], "n_days": a.spans[:, a.columns(window)].sum(axis=1)[rows],
            "ci_low": (a.car(window) - half)[rows], "ci_high": (a.car(window) + half)[rows],
            "n_sessions": sessions[rows], "last_session": last[rows].astype("datetime64[s]"),
        })  # fmt: skip

    def abnormal_returns(self) -> pd.DataFrame:
        """Return event_id, ticker, tau, date, ret, expected, ar, se, sar of each usable event and day."""
        a, rows = self.abnormal, np.flatnonzero(self.ok)
        ids = {name: np.repeat(values, len(a.event)) for name, values in self._ids(rows).items()}
        returns = a.windows.event_returns[rows]
        dates = a.windows.dates[rows].astype("datetime64[s]")
        return pd.DataFrame({
            **ids, "tau": np.tile(a.event.days, len(rows)), "date": dates.ravel(),
            "ret": returns.ravel(), "expected": a.expected[rows].ravel(), "ar": a.ar[rows].ravel(),
            "se": np.sqrt(a.var_ar[rows]).ravel(), "sar": a.sar[rows].ravel(),
        })  # fmt: skip

    def models(self) -> pd.DataFrame:
        """Return event_id, ticker, nobs, the estimated parameters, sigma and r2 of each usable event."""
        a, rows = self.abnormal, np.flatnonzero(self.ok)
        estimates = {name: a.params[rows, j] for j, name in enumerate(a.parameters)}
        tail = {"sigma": np.sqrt(a.sigma2[rows]), "r2": a.r2[rows]}
        return pd.DataFrame({**self._ids(rows), "nobs": a.nobs[rows], **estimates, **tail})

    def subset(self, rows: BoolArray | IntArray | pd.Series[bool] | Sequence[int]) -> EventStudyResults:
        """Return the results of some events; nothing is estimated anew.

        Parameters
        ----------
        rows : (n,) array or Series of bool, or array of int
            Mask over the events, such as ``results.events["direction"] == "adverse"``, or positions.

        Raises
        ------
        ConfigError
            For what is neither, a mask of another length, or a position that there is not.
        """
        rows = chosen(rows, len(self.events))
        layout = None if self.layout is None else self.layout.take(rows)
        events = self.events.iloc[rows].reset_index(drop=True)
        sizes = None if self.sizes is None else self.sizes.take(rows)
        own = self.abnormal.take(rows)
        return replace(self, abnormal=own, events=events, layout=layout, sizes=sizes, variants=None)

    def groups(self, column: str) -> dict[str, EventStudyResults]:
        """Return the results by value of a column of the events file, that of most events listed first.

        Dropped events count for the order, so that dropping some does not change it; groups of as many are
        in the order of the list. A group without a used event is left out.

        Raises
        ------
        ConfigError
            If there is no such column.
        """
        if column not in self.events:
            hint = did_you_mean(column, [str(c) for c in self.events.columns])
            raise ConfigError("the events have no such column", value=column, remedy=hint)
        if column not in self._groups:
            values = self.events[column].astype(str).replace("", BLANK)
            used = set(values[self.ok])
            names = [name for name, _ in Counter(values).most_common() if name in used]
            self._groups[column] = {n: self.subset((values == n).to_numpy()) for n in names}
        return dict(self._groups[column])

    def multiple(self, kind: str, **options: Any) -> pd.DataFrame:
        """Return a family of hypotheses with adjusted p-values; see ``analysis.multiple_testing.family``."""
        from .analysis.multiple_testing import family

        return family(self, kind, **options)

    def difference(
        self, column: str, one: str | None = None, other: str | None = None, **options: Any
    ) -> Difference:
        """Return the difference of two groups and its test; see ``analysis.groups.difference``."""
        from .analysis.groups import difference

        return difference(self, column, one, other, **options)

    def weighted(self, window: WindowLike, weights: str = "equal", column: str = "mcap") -> WeightedMean:
        """Return the weighted mean CAR; see ``analysis.weights.weighted_caar``."""
        from .analysis.weights import weighted_caar

        return weighted_caar(self, window, weights, column)

    def with_market_values(self, source: str | Path, **options: Any) -> EventStudyResults:
        """Return the results with market values of Yahoo or a file; see ``loading.sizes``."""
        from .loading.sizes import with_market_values

        return with_market_values(self, source, **options)

    def dollar_loss(self, window: WindowLike, column: str = "mcap") -> DollarLoss:
        """Return the abnormal change of market value; see ``analysis.weights.dollar_loss``."""
        from .analysis.weights import dollar_loss

        return dollar_loss(self, window, column)

    def regress(
        self, columns: str | Iterable[str], window: WindowLike = (0, 1), **options: Any
    ) -> CarRegression:
        """Regress CARs on columns of the events; see ``analysis.cross_section.regress_car``."""
        from .analysis.cross_section import regress_car

        return regress_car(self, columns, window, **options)

    def abhar(self, window: WindowLike, against: Against = "market", **conventions: Any) -> pd.DataFrame:
        """Return tests of the mean buy-and-hold return; see ``analysis.long_horizon.abhar``."""
        from .analysis.long_horizon import abhar

        return abhar(self, window, against, **conventions)

    def calendar_portfolio(self, window: WindowLike, **options: Any) -> pd.DataFrame:
        """Return the alpha of a calendar-time portfolio; see ``analysis.calendar_portfolio``."""
        from .analysis.calendar_portfolio import calendar_portfolio

        return calendar_portfolio(self, window, **options)

    def diagnose(self, window: WindowLike | None = None) -> Diagnosis:
        """Return what kind of study this is, and how far to trust each test; see ``analysis.diagnosis``."""
        from .analysis.diagnosis import diagnose

        asked = self.main if window is None else Window.of(window)
        if asked not in self._diagnoses:
            self._diagnoses[asked] = diagnose(self, asked)
        return self._diagnoses[asked]

    def diagnostics(self) -> pd.DataFrame:
        """Return diagnostics of each estimation; see ``analysis.regressions.diagnostics``."""
        from .analysis.regressions import diagnostics

        return diagnostics(self)

    def regression(self, event_id: str) -> RegressionResults:
        """Return the estimation regression of one event; see ``analysis.regressions.regression``."""
        from .analysis.regressions import regression

        return regression(self, event_id)

    def placebo_dates(self, window: WindowLike, **options: Any) -> Placebo:
        """Return the rank of the study among itself on other dates; see ``analysis.placebo``."""
        from .analysis.placebo import placebo_dates

        asked = (Window.of(window), *sorted(options.items()))
        if asked not in self._placebos:
            self._placebos[asked] = placebo_dates(self, window, **options)
        return self._placebos[asked]

    def placebo_firms(self, window: WindowLike, **options: Any) -> Placebo:
        """Return the rank of the study among other firms of the day; see ``analysis.placebo``."""
        from .analysis.placebo import placebo_firms

        return placebo_firms(self, window, **options)

    def summary(self, windows: WindowsLike | None = None, names: Iterable[str] | None = None) -> Summary:
        """Return effect, CAAR and p-values by window, the main test first; prints as text, and as a table."""
        from .analysis.summary import Summary

        chosen = self._windows(windows)
        tests = self.tests(chosen, names or self.default_tests)
        answers = tuple(self.answer(window) for window in chosen)
        return Summary(tests, answers, len(self), len(self.events), self.panel.measure, self.main_test())

    @property
    def _config(self) -> StudyConfig:
        return StudyConfig(estimation=self.abnormal.windows.estimation, event=self.abnormal.event)

    def _windows(self, windows: WindowsLike | None) -> list[Window]:
        chosen = self._config.tested if windows is None else Window.several(windows)
        if not chosen:
            raise ConfigError("no window", remedy="name one, such as (0, 1), or several")
        return list(chosen)

    def _ids(self, rows: IntArray) -> Mapping[str, Any]:
        return {name: self.events[name].to_numpy()[rows] for name in ("event_id", "ticker")}

    def __repr__(self) -> str:
        counts = f"{len(self)} of {len(self.events)} events"
        return f"<event study: {counts}, {self.model.label}, {self.abnormal.event}>"

    def __str__(self) -> str:
        return f"{self!r}\n{self.summary()}"

    def _repr_html_(self) -> str:
        head = f"{len(self)} of {len(self.events)} events, {self.model.label}, {self.abnormal.event}"
        return f"<p><b>Event study</b>: {escape(head)}</p>{self.summary()._repr_html_()}"
