"""Files and tables as people have them: CSV, Excel and Parquet, names of files, identifiers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
