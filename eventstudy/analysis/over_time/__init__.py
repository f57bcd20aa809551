"""Paths over event days, long horizons, and money by event."""
