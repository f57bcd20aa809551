"""Events aligned on the panel: returns of each event by day."""
