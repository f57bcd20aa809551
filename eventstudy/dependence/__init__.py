"""What correlation between events does to sums of their CARs, by the sessions they share."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
