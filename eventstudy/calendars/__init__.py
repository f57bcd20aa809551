"""Exchanges, their sessions, and windows in event time."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
