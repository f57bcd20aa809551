"""pandas, loaded when something of it is first used: commands without a table start without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["pd"]

if TYPE_CHECKING:
    import pandas as pd
else:

    class _Pandas:
        """Has what pandas has."""

        def __getattr__(self, name: str) -> Any:
            import pandas

            member = getattr(pandas, name)
            setattr(self, name, member)
            return member

    pd = _Pandas()
