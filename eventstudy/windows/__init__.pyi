from .alignment import EMPTY as EMPTY
from .alignment import TRADED as TRADED
from .alignment import covers as covers
from .event_windows import HALT_DRIFT as HALT_DRIFT
from .event_windows import EventWindows as EventWindows
from .event_windows import build_windows as build_windows
