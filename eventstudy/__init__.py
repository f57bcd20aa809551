"""Event studies: from a CSV of announcements to abnormal returns and their significance."""

from typing import Any

from eventstudy_kit import open_face

_find, __dir__, __all__ = open_face(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Return a public name, loaded now; say what a name that is not there may have meant."""
    try:
        return _find(name)
    except AttributeError:
        from .words import find_hint

        hint = find_hint(f"package.{name.lower()}", name=name)
        raise AttributeError(f"eventstudy has no {name!r}" + f": {hint}" * bool(hint)) from None
