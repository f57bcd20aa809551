"""Faults of prices: what is seen in them, and what is done about it."""
