"""Abnormal returns, what is cumulated from them, and samples of events."""
