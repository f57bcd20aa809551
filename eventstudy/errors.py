"""Every error a user can meet: the problem, the place, the value, and the remedy; no secrets."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# Stands for what is not shown.
HIDDEN = "***"
# Values of variables that a source of prices was given, whatever their names are.
_GIVEN: set[str] = set()
# How names of variables end whose values are secrets, and letters of the shortest such value.
_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "WEBHOOK", "_URL")
_SHORTEST = 6
# What a text has where a secret may be, where that is, and what is shown: user and password of a
# URL, its query and fragment, values whose name says what they are, headers, and text of SQL.
_SECRET_PLACES = (
    ("://", r"(://)[^\s\"'<>/?#@]*(?::[^\s\"'<>]*)?@", rf"\1{HIDDEN}@"),
    ("@", r"(^|[\s\"'])[^\s\"'<>@:/]+:[^\s\"'<>@/]+@", rf"\1{HIDDEN}@"),
    ("://", r"(://[^\s\"'<>?#]*[?#])[^\s\"'<>]*?([).,;:]*)(?=[\s\"'<>]|$)", rf"\1{HIDDEN}\2"),
    ("=", r"(?i)((?:key|token|secret|passw(?:or)?d|pwd)=)[^\s\"'<>&;,]+", rf"\1{HIDDEN}"),
    (":", r"(?i)([-_](?:key|token|secret)[\"']?: ?[\"']?)[^\s\"'<>&;,]+", rf"\1{HIDDEN}"),
    (":", r"(?i)(authorization[\"']?: ?[\"']?(?:\w+ )?)[^\s\"'<>,]+", rf"\1{HIDDEN}"),
    (":", r'(?i)("(?:[^"\\]*,)?(?:duckdb|sql):)(?!\*)(?:\\.|[^"\\])+', rf"\1{HIDDEN}"),
    (":", r"(?is)((?:^|[\s'=,])(?:duckdb|sql):)(?!\*).+", rf"\1{HIDDEN}"),
)


def keep_secret(value: str) -> str:
    """Return a value that `hide_secrets` hides from now on."""
    _GIVEN.add(value)
    return value


def hide_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text that may be written down: the one function that leaves secrets out.

    Parameters
    ----------
    text : str
        A message, a part of a command line, a setting, or a line of a log.
    secrets : iterable of str
        Further values to leave out.

    Returns
    -------
    str
        Without the user, password, query and fragment of any URL, the value behind ``token=`` and
        the like, the text behind ``duckdb:`` and ``sql:``, what `keep_secret` was given, and the
        values of environment variables whose names end in KEY, TOKEN, SECRET, PASSWORD, WEBHOOK or
        _URL.

    Examples
    --------
    >>> hide_secrets("https://me:pass@example.org/a?id=7: no answer")
    'https://***@example.org/a?***: no answer'
    """
    if not text:
        return text
    named = [os.environ[name] for name in os.environ if name.upper().endswith(_SECRET_NAMES)]
    shown = text
    for value in (*named, *_GIVEN, *secrets):
        if len(value) >= _SHORTEST:
            shown = shown.replace(value, HIDDEN)
    for mark, pattern, instead in _SECRET_PLACES:
        if mark in shown:
            shown = re.sub(pattern, instead, shown)
    # A reason has its code as long as nothing is left out of it.
    return text if shown == text else shown


class EventStudyError(Exception):
    """Base class of all errors that the package raises on purpose.

    Parameters
    ----------
    what : str
        Description of the problem.
    where : str, optional
        Place of the problem, such as a file, a line, a column, a ticker or an option.
    value : object, optional
        The value that caused the problem.
    remedy : str, optional
        What the user can do about the problem.

    Attributes
    ----------
    exit_code : int
        Exit code with which the command line ends after this error. The code 1 means a problem with
        the data, and 2 a problem with the command or the settings. The code 3 means that a refresh
        did not get the prices of some symbols, and 4 that files of a saved study were altered. The
        code 75 means that the same command may succeed later.

    Examples
    --------
    >>> import eventstudy as es
    >>> try:
    ...     es.Window(1, 0)
    ... except es.EventStudyError as error:
    ...     error.exit_code
    2
    """

    exit_code = 1

    def __init__(
        self, what: str, *, where: str = "", value: object = None, remedy: str = ""
    ) -> None:
        self.what = hide_secrets(what)
        self.where = hide_secrets(where)
        self.value = hide_secrets(value) if isinstance(value, str) else value
        self.remedy = hide_secrets(remedy)
        super().__init__(self.what)

    def __str__(self) -> str:
        return _sentence([self.where, self.what], self.value, self.remedy)


def _sentence(head: list[str], value: object, remedy: str) -> str:
    text = ": ".join(filter(None, head))
    if value is not None:
        shown = repr(value)
        is_one_line = "\n" not in shown
        text += f", got {shown}" if is_one_line else f", got a {type(value).__name__}"
    return f"{text}; {remedy}" if remedy else text


def how_to_install(package: str) -> str:
    """Return the command that adds a package to this environment, however that was made."""
    python = shlex.quote(sys.executable)
    if find_spec("pip"):
        return f"{python} -m pip install {package}"
    # An environment of uv has no pip.
    if shutil.which("uv"):
        return f"uv pip install --python {python} {package}"
    return f"{python} -m ensurepip && {python} -m pip install {package}"


class InapplicableError(Exception):
    """Raised by a statistic that is undefined for a sample; becomes the reason of the result."""


class ConfigError(EventStudyError):
    """An option or a study file is wrong."""

    exit_code = 2


class ConfigFaultsError(ConfigError):
    """Several options, or settings of a study file, are wrong.

    Parameters
    ----------
    errors : sequence of EventStudyError
        A line each.
    """

    def __init__(self, errors: Sequence[EventStudyError]) -> None:
        super().__init__(f"{len(errors)} faults")
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class DataError(EventStudyError):
    """The data do not allow a study."""


class NoUsableEventsError(DataError):
    """No event could be studied; the message counts the reasons."""


class TooManyError(EventStudyError):
    """There are more events than can be computed at once."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a cell of the events file; of a row, or of the file, if `column` is ""."""

    line: int
    column: str
    what: str
    value: str | None = None
    remedy: str = ""

    def __str__(self) -> str:
        return _sentence([str(self.line), self.column, self.what], self.value, self.remedy)


class EventsFileError(EventStudyError):
    """The events file has faults.

    The attribute ``problems`` lists all faults of the file, in the order of their lines. Each fault
    has the attributes ``line``, ``column``, ``what``, ``value`` and ``remedy``.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> try:
    ...     es.events_from_frame(pd.DataFrame({"ticker": ["AMD"], "announced_at": ["7 October"]}))
    ... except es.EventsFileError as error:
    ...     [(problem.line, problem.column) for problem in error.problems]
    [(2, 'announced_at')]
    """

    def __init__(self, path: str, problems: Sequence[Problem], what: str = "events file") -> None:
        self.path = path
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' * (count != 1)} in the {what}", where=path)

    def __str__(self) -> str:
        lines = (hide_secrets(f"{self.path}:{problem}") for problem in self.problems)
        return "\n".join([f"{self.where}: {self.what}", *lines])


class PriceError(EventStudyError):
    """Prices of one symbol cannot be had; ``kind`` is a stable machine-readable word.

    It is permanent, or transient: then the source may answer later. Exit codes follow from that.
    """

    kind = "price_error"
    is_transient = False

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """75 (try again later) for a transient failure, or 1."""
        return 75 if self.is_transient else 1


class UnknownSymbolError(PriceError):
    """The source does not know the symbol (a typo, or delisted long ago)."""

    kind = "unknown_symbol"


class NoPricesError(PriceError):
    """The source knows the symbol but has no prices in the range."""

    kind = "no_prices"


class OtherDaysError(NoPricesError):
    """The source has prices of the symbol, but on other days than these."""


class BadAnswerError(PriceError):
    """The source answered with something that is not prices."""

    kind = "bad_answer"


class HeldBackError(PriceError):
    """The answer of the source does not fit the stored prices, which stay in use."""

    kind = "held_back"
    is_transient = True


class RateLimitedError(PriceError):
    """The source asks us to slow down.

    Attributes
    ----------
    until : datetime or None
        When it answers again, with a time zone; None where it does not say.
    """

    kind = "rate_limited"
    is_transient = True
    until: datetime | None = None


class NetworkError(PriceError):
    """The source cannot be reached."""

    kind = "network"
    is_transient = True


class UnreachableError(NetworkError):
    """The host does not answer at all: there is no use in asking for the next symbol."""


class BusyError(EventStudyError):
    """Another process writes this: try again later."""

    exit_code = 75


class RunFolderError(EventStudyError):
    """A run folder cannot be read or written."""


class AlteredError(RunFolderError):
    """What a run or a kept case holds is not as it was written."""

    exit_code = 4


class RecordError(EventStudyError):
    """What a public record answered, or what was kept of it, cannot be read.

    Attributes
    ----------
    status : int
        Of HTTP; 0 where there was none.
    """

    status = 0


class WireError(RecordError):
    """A public server did not answer with its data, and may do so later.

    Attributes
    ----------
    until : datetime or None
        When the server answers again, with a time zone; None where it does not say.
    """

    exit_code = 75
    until: datetime | None = None
