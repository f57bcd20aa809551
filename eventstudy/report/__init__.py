"""What a reader sees of a study: sentences, figures, and one HTML page."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
