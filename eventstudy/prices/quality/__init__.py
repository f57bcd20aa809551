"""Faults of prices and returns: how they are seen, and how they are treated."""
