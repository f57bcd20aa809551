"""The answer of a study, and what it owes to single events, tests and lacking events."""
