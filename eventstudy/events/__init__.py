"""The events file: every row checked, each announcement dated on its exchange."""
