"""What correlation between events does to sums of their CARs, by the sessions they share."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
