"""What is said, and how numbers are written: sentences by code, numbers, units, a terminal."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
