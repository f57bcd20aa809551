"""The pages of single events, their parts in the order of the page."""
