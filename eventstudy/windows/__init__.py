"""Events aligned on the panel: returns of each event by day."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
