"""Everything that can be chosen by name: models, tests, price sources, and plug-ins for them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_-]+")


def did_you_mean(word: str, choices: Iterable[str], *, like: float = 0.6) -> str:
    """Return ``"did you mean 'x'?"`` for the closest choice, or an empty string.

    Parameters
    ----------
    word : str
    choices : iterable of str
    like : float
        How alike it must be, from 0 to 1.

    Examples
    --------
    >>> did_you_mean("bmpkp", ["bmp_kp", "sign"])
    "did you mean 'bmp_kp'?"
    """
    match = difflib.get_close_matches(word, list(map(str, choices)), 1, like)
    return f"did you mean {match[0]!r}?" if match else ""


class Plugins:
    """Entries that other packages declare under an entry-point group; loaded only when named.

    Parameters
    ----------
    group : str
        Such as ``eventstudy.tests``.
    kind : str
        Name of the kind in messages, such as ``test``.
    """

    def __init__(self, group: str, kind: str) -> None:
        self.group, self.kind = group, kind

    def find(self, name: str) -> EntryPoint | None:
        """Return the entry point of a name, None without one; ConfigError if packages clash."""
        if not _NAME.fullmatch(name):
            return None
        points = [point for point in self._points() if point.name == name]
        packages = sorted({self.package_of(point) for point in points})
        if len(packages) > 1:
            fault = f"several packages have a {self.kind} of that name"
            remedy = f"uninstall all but one of {', '.join(packages)}"
            raise ConfigError(fault, value=name, remedy=remedy)
        return points[0] if points else None

    def load(self, point: EntryPoint) -> Any:
        """Return the object of an entry point; ConfigError that names its package if it fails."""
        try:
            return point.load()
        except Exception as error:
            raise self.broken(point, error) from error

    def broken(self, point: EntryPoint, error: Exception) -> ConfigError:
        """Return the error of a plug-in that raises.

        Parameters
        ----------
        point : EntryPoint
        error : Exception
            Raised by the plug-in.
        """
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        fault = f"the {self.kind} {point.name} of {self.package_of(point)} is broken ({reason})"
        return ConfigError(fault, remedy="repair or uninstall that package")

    def listing(
        self, built_in: Collection[str], describe: Callable[[EntryPoint], str]
    ) -> Iterator[tuple[str, str]]:
        """Yield the name and one line of every plug-in, also of those that cannot be used.

        Parameters
        ----------
        built_in : collection of str
            Names that no plug-in can take.
        describe : callable
            Takes an entry point and returns its line; may raise ConfigError.
        """
        for point in sorted(self._points(), key=lambda each: (each.name, self.package_of(each))):
            package = self.package_of(point)
            if point.name in built_in:
                kind = self.kind.split()[-1]
                text = f"ignored: {package} cannot take the name of a built-in {kind}"
            elif not _NAME.fullmatch(point.name):
                text = f"ignored: {package} has to name it in lower-case letters"
            else:
                text = self._described(point, describe)
            yield point.name, text

    def _described(self, point: EntryPoint, describe: Callable[[EntryPoint], str]) -> str:
        try:
            self.find(point.name)
            return describe(point)
        except ConfigError as error:
            return f"cannot be used: {error}"

    def _points(self) -> Iterable[EntryPoint]:
        from importlib.metadata import entry_points

        return entry_points(group=self.group)

    @staticmethod
    def package_of(point: EntryPoint) -> str:
        """Return the name of the package that declares an entry point."""
        return point.dist.name if point.dist else point.value


class Registry(Mapping[str, T], Generic[T]):
    """A read-only mapping from canonical name to entry, filled by decorator.

    Iteration and length are those of the entries of this package, so that an installed plug-in
    changes no result that does not name it. Look-up finds entries of other packages as well, and
    loads the plug-in that declares one.

    Parameters
    ----------
    kind : str
        Name of the kind in messages.
    group : str, optional
        Entry-point group under which other packages declare entries.
    order : iterable of str, optional
        Names in the order of iteration; entries that it lacks follow.
    base : type, optional
        Class of which every entry is a subclass; registering another object is a TypeError.
    meant : mapping of str to str, optional
        What an unknown name is likely to mean, by names that are no entries.

    Raises
    ------
    ConfigError
        On look-up of an unknown name, with the names and the closest one, or of a broken plug-in.

    Examples
    --------
    >>> from eventstudy import MODELS, STATISTICS
    >>> "market" in MODELS, "bmp_kp" in STATISTICS
    (True, True)
    >>> MODELS["market"]().parameters
    ('alpha', 'beta')
    >>> STATISTICS["bmp_kp"].source[:26]
    'Kolari and Pynnonen (2010)'
    """

    def __init__(
        self, kind: str, group: str = "", order: Iterable[str] = (), base: type | None = None,
        meant: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.kind = kind
        self.plugins = Plugins(group, kind) if group else None
        self._order = tuple(order)
        self._base = base
        self._meant = meant or {}
        self._entries: dict[str, T] = {}
        self._further: dict[str, T] = {}

    def register(self, name: str, module: str = "") -> Callable[[T], T]:
        """Return a decorator that files its argument.

        Parameters
        ----------
        name : str
            Canonical name.
        module : str, optional
            Module that defines the entry; by default its attribute ``__module__``.
        """

        def add(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            if self._base and not (isinstance(entry, type) and issubclass(entry, self._base)):
                raise TypeError(f"{self.kind} {name!r} is no {self._base.__name__}")
            home = (module or getattr(entry, "__module__", "")).partition(".")[0]
            built_in = self.plugins is None or home == __name__.partition(".")[0]
            (self._entries if built_in else self._further)[name] = entry
            return entry

        return add

    def __getitem__(self, name: str) -> T:
        # A value that is no text, such as a list of windows, is no name either.
        if isinstance(name, str) and name in self._entries:
            return self._entries[name]
        if isinstance(name, str) and self._load(name):
            return self._further[name]
        meant = self._meant.get(str(name).lower().replace("-", "_"))
        hint = f"did you mean {meant!r}?" if meant else did_you_mean(str(name), self)
        known = "known: " + ", ".join(self)
        raise ConfigError(f"unknown {self.kind}", value=name, remedy=f"{hint} {known}".strip())

    def _load(self, name: str) -> bool:
        """Load the plug-in of a name, if any; return whether there is an entry now."""
        if name in self._further or self.plugins is None:
            return name in self._further
        point = self.plugins.find(name)
        if point is None:
            return False
        self._adopt(point, self.plugins)
        if name not in self._further:
            raise self.plugins.broken(point, LookupError(f"it registers no {self.kind} {name!r}"))
        return True

    def _adopt(self, point: EntryPoint, plugins: Plugins) -> None:
        """Load a plug-in, which registers its entry."""
        plugins.load(point)

    def plugin_lines(self, describe: Callable[[T], str]) -> Iterator[tuple[str, str]]:
        """Yield name and line of every plug-in; `describe` gives the line of an entry."""
        if self.plugins is not None:

            def line_of(point: EntryPoint) -> str:
                return f"{describe(self[point.name])} ({Plugins.package_of(point)})"

            yield from self.plugins.listing(self._entries, line_of)

    def __contains__(self, name: object) -> bool:
        """Return whether look-up of a name succeeds, built in or a plug-in."""
        try:
            return self[name] is not None  # type: ignore[index]
        except ConfigError:
            return False

    def __iter__(self) -> Iterator[str]:
        placed = [name for name in self._order if name in self._entries]
        return iter(dict.fromkeys([*placed, *self._entries]))

    def __len__(self) -> int:
        return len(self._entries)
