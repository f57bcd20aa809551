"""CARs compared between events: groups, regressions, families of hypotheses."""
