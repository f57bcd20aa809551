"""Event studies: from a CSV of announcements to abnormal returns and their significance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "AbnormalReturns": "abnormal",
    "StudyConfig": "config",
    "Conventions": "conventions",
    "EventStudyError": "errors",
    "EventsFileError": "errors",
    "Events": "events.table",
    "check_events": "events.table",
    "read_events": "events.table",
    "events_from_frame": "events.table",
    "load_returns": "loading.load",
    "read_returns": "loading.returns_file",
    "LinearModel": "models",
    "MODELS": "models",
    "PriceProvider": "prices",
    "EventStudyResults": "results",
    "compare_runs": "runs",
    "refresh_run": "runs",
    "reproduce_run": "runs",
    "verify_run": "runs",
    "ReturnsPanel": "returns",
    "STATISTICS": "significance",
    "SignificanceTest": "significance",
    "EventStudy": "study",
    "run_study": "study",
    "EventWindows": "windows",
    "Window": "windows",
}
__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from .abnormal import AbnormalReturns as AbnormalReturns
    from .config import StudyConfig as StudyConfig
    from .conventions import Conventions as Conventions
    from .errors import EventsFileError as EventsFileError
    from .errors import EventStudyError as EventStudyError
    from .events.table import Events as Events
    from .events.table import check_events as check_events
    from .events.table import events_from_frame as events_from_frame
    from .events.table import read_events as read_events
    from .loading.load import load_returns as load_returns
    from .loading.returns_file import read_returns as read_returns
    from .models import MODELS as MODELS
    from .models import LinearModel as LinearModel
    from .prices import PriceProvider as PriceProvider
    from .results import EventStudyResults as EventStudyResults
    from .returns import ReturnsPanel as ReturnsPanel
    from .runs import compare_runs as compare_runs
    from .runs import refresh_run as refresh_run
    from .runs import reproduce_run as reproduce_run
    from .runs import verify_run as verify_run
    from .significance import STATISTICS as STATISTICS
    from .significance import SignificanceTest as SignificanceTest
    from .study import EventStudy as EventStudy
    from .study import run_study as run_study
    from .windows import EventWindows as EventWindows
    from .windows import Window as Window


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
