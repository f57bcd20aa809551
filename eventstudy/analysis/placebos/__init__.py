"""The same study where nothing was announced: other dates, other firms."""
