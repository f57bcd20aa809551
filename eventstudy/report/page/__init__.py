"""The page: its first screen, its folded parts, and the page of one event."""
