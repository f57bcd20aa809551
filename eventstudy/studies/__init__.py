"""The interface for notebooks: a study, and results with all their tests, tables and figures."""

from __future__ import annotations

from .doors import EventStudy, compare, run_study, study
from .results import EventStudyResults
from .robustness import RobustnessResults, robustness

__all__ = [
    "EventStudy", "EventStudyResults", "RobustnessResults", "compare", "robustness", "run_study",
    "study",
]  # fmt: skip
