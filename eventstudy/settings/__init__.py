"""The settings of a study, and the study file that they are read from."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
