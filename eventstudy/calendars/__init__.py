"""Exchanges, their sessions, and windows in event time."""
