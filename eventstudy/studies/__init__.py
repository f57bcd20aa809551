"""The interface for notebooks: a study, and results with all their tests, tables and figures."""

from __future__ import annotations

from .event_study import EventStudy, run_study
from .results import EventStudyResults
from .robustness import RobustnessResults, robustness

__all__ = ["EventStudy", "EventStudyResults", "RobustnessResults", "robustness", "run_study"]
