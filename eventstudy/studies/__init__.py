"""The interface for notebooks: a study, and results with all their tests, tables and figures."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
