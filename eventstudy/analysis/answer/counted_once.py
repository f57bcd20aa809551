"""The answer with each firm counted once where the list has several of its listings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...calendars import Window
from ...fitting import FittedStudy, find_other_listings, firm_column
from ...words import Reason
from .answer import Answer, verdict_of


@dataclass(frozen=True, slots=True)
class CountedOnce:
    """The answer over one window with one listing of each firm for an announcement.

    Attributes
    ----------
    n : int
        Announcements that the answer counts more than once.
    tickers : tuple of str
        Listings of the first of them, that which stays first.
    column : str
        Column that names the firms, as for ``firm`` of the settings.
    answer : Answer
        Without the further listings.
    """

    n: int
    tickers: tuple[str, ...]
    column: str
    answer: Answer

    @classmethod
    def of(cls, study: FittedStudy, window: Window) -> CountedOnce | None:
        """Return the answer of a study with each firm counted once for an announcement.

        Parameters
        ----------
        study : FittedStudy
        window : Window

        Returns
        -------
        CountedOnce or None
            None where no announcement counts more than once.
        """
        column = firm_column(study.events)
        again = find_other_listings(study, column, window)
        is_again = np.array([text != "" for text in again], dtype=bool)
        rows = np.flatnonzero(is_again & study.abnormal.in_tests(window)).tolist()
        if not rows:
            return None
        tickers = study.events["ticker"].tolist()
        stays = [Reason.of(again[i]).facts["event"] for i in rows]
        others = [tickers[i] for i, event in zip(rows, stays, strict=True) if event == stays[0]]
        first = tickers[study.events["event_id"].tolist().index(stays[0])]
        answer = verdict_of(study.subset(~is_again), window)
        return CountedOnce(len(set(stays)), (first, *others), column, answer)
