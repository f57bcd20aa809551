"""Figures, and the numbers that they show."""
