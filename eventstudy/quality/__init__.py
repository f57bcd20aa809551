"""Faults of prices and returns: how they are seen, and how they are treated."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
