"""Event studies: from a CSV of announcements to abnormal returns and their significance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventstudy_kit import require_own_files

from .utility.version import __version__

require_own_files()
# Where each public name comes from; it is loaded when it is first asked for.
_NAMES = {
    "abnormal.abnormal_returns": ["AbnormalReturns"],
    "abnormal.conventions": ["Conventions"],
    "calendars.window": ["Window"],
    "errors": ["EventStudyError", "EventsFileError"],
    "events.table": ["Events", "check_events", "events_from_frame", "read_events"],
    "fitting.config": ["StudyConfig"],
    "fitting.study_file": ["read_config"],
    "models": ["MODELS", "LinearModel"],
    "prices": ["PriceProvider"],
    "returns": ["ReturnsPanel"],
    "returns.factor_files": ["read_factors"],
    "returns.load": ["load_returns", "read_returns"],
    "runs": ["compare_runs", "refresh_run", "reproduce_run", "verify_run"],
    "significance": ["STATISTICS", "SignificanceTest"],
    "studies": [
        "EventStudy", "EventStudyResults", "RobustnessResults", "compare", "robustness",
        "run_study", "study",
    ],
    "windows.event_windows": ["EventWindows"],
}  # fmt: skip
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from .abnormal.abnormal_returns import AbnormalReturns as AbnormalReturns
    from .abnormal.conventions import Conventions as Conventions
    from .calendars.window import Window as Window
    from .errors import EventsFileError as EventsFileError
    from .errors import EventStudyError as EventStudyError
    from .events.table import Events as Events
    from .events.table import check_events as check_events
    from .events.table import events_from_frame as events_from_frame
    from .events.table import read_events as read_events
    from .fitting.config import StudyConfig as StudyConfig
    from .fitting.study_file import read_config as read_config
    from .models import MODELS as MODELS
    from .models import LinearModel as LinearModel
    from .prices import PriceProvider as PriceProvider
    from .returns import ReturnsPanel as ReturnsPanel
    from .returns.factor_files import read_factors as read_factors
    from .returns.load import load_returns as load_returns
    from .returns.load import read_returns as read_returns
    from .runs import compare_runs as compare_runs
    from .runs import refresh_run as refresh_run
    from .runs import reproduce_run as reproduce_run
    from .runs import verify_run as verify_run
    from .significance import STATISTICS as STATISTICS
    from .significance import SignificanceTest as SignificanceTest
    from .studies import EventStudy as EventStudy
    from .studies import EventStudyResults as EventStudyResults
    from .studies import RobustnessResults as RobustnessResults
    from .studies import compare as compare
    from .studies import run_study as run_study
    from .studies import study as study
    from .studies.robustness import robustness as robustness
    from .windows.event_windows import EventWindows as EventWindows


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
