"""What is said, and how numbers are written: sentences by code, numbers, units, a terminal."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
