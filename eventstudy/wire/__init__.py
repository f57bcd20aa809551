"""Requests to public servers: honest, slow, bounded, and to named hosts only."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
