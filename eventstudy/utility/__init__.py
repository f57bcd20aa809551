"""What every other part stands on: registries, types, text of tables, progress, executors."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
