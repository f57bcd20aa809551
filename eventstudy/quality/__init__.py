"""Faults of prices and returns: how they are seen, and how they are treated."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
