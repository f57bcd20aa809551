"""The public record: from documents of authorities to a list of events that a person decides.

Nothing becomes an event here without a decision that somebody took and signed. It is not a
sanctions screening: a company without a candidate may still be listed.

Another package names its source as an entry point::

    [project.entry-points."eventstudy.records"]
    uk = "uk_lists:UkLists"

The object is called without arguments and returns a `RecordSource`. It gets a `Shelf` of answers,
never a connection, so that what it reads can be read again offline.
"""

from eventstudy_kit import open_face

__getattr__, __dir__, __all__ = open_face(__name__, __file__)
