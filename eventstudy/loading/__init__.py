"""From events and prices to the panel of returns: which series, for which days, in which currency."""
