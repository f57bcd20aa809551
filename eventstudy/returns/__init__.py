"""Prices, or returns of a file or frame, on the sessions of each exchange."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
