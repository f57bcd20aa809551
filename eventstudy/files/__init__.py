"""Files and tables as people have them: CSV, Excel and Parquet, names of files, identifiers."""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
