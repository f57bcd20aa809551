"""What every other part stands on: registries, types, text of tables, progress, executors."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
