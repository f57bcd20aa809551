"""Event studies: from a CSV of announcements to abnormal returns and their significance."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
