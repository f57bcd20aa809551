"""Event studies: from a CSV of announcements to abnormal returns and their significance."""

import lazy_loader

from eventstudy_kit import require_own_files

require_own_files()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
