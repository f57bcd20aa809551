"""Price sources: Yahoo, the user's files, the price cache, the bundled sample, other packages.

Another package names its source as an entry point::

    [project.entry-points."eventstudy.prices"]
    moex = "moex_prices:MoexProvider"

The object is called with the text after the colon of ``--prices moex:TEXT`` (empty without one) and
with ``offline``, and returns a `PriceProvider`. Its attribute ``summary``, or the first line of its
docstring, is shown by ``eventstudy list prices``.
"""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
