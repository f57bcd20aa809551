"""The events file: every row checked, each announcement dated on its exchange."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
