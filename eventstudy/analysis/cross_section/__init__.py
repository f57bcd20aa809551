"""CARs of some events beside those of others: groups, regressions, families."""
