"""From settings and inputs to the record of a fitted study."""
