"""The run folder: report, tables, figures, inputs and manifest, and what one does with it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
