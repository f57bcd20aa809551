"""The answer by both clocks where trading was suspended: calendar, and from the resumption."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...calendars import Window
from ...fitting import FittedStudy
from ...windows import TRADED
from .answer import Answer


@dataclass(frozen=True, slots=True)
class ClockAnswers:
    """The answer over one window with and without the events that a halt keeps from it.

    Attributes
    ----------
    n_suspended : int
        Events that have a CAR only if their clock starts when trading resumes.
    n_short : int
        Those of them whose history is too short for the answer.
    calendar, shift : Answer
        By ``halt = "calendar"``, without them, and by ``halt = "shift"``, with them.
    """

    n_suspended: int
    n_short: int
    calendar: Answer
    shift: Answer

    @classmethod
    def of(cls, study: FittedStudy, window: Window) -> ClockAnswers | None:
        """Return the answer by both clocks; None where no event is lost to a halt.

        Parameters
        ----------
        study : FittedStudy
        window : Window

        Returns
        -------
        ClockAnswers or None
            None as well for a study too large to be laid out twice, and for models with
            leads or lags of the market, which have no place on a clock without halted
            sessions.
        """
        layout, a = study.layout, study.abnormal
        if layout is None or study.other_clock is None or study.is_large or any(layout.lags):
            return None
        shifted = np.array([TRADED in name for name in layout.calendars], dtype=bool)
        halted = study.ok & ~a.valid(window)
        if not shifted.any() and not (halted.any() and (layout.halts(a.windows) & halted).any()):
            return None
        second = study.remember("other clock", study.other_clock)
        calendar, shift = (second, study) if shifted.any() else (study, second)
        gained = shift.abnormal.valid(window) & ~calendar.abnormal.valid(window)
        if not gained.any():
            return None
        short = gained & ~shift.abnormal.in_tests(window)
        answers = (Answer.of(study, window) for study in (calendar, shift))
        return ClockAnswers(int(gained.sum()), int(short.sum()), *answers)
