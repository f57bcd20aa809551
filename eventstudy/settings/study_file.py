"""A study file: its settings, or everything that is wrong with it, each fault with its line."""

from __future__ import annotations

import functools
import json
import re
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..abnormal import Conventions
from ..calendars import Window
from ..errors import ConfigError, EventStudyError, Problem
from ..files import InputFile
from ..returns import FactorLibrary, usual_calendar
from ..words import make_error
from .config import Grid, StudyConfig
from .settings import FARTHEST, TRUE, Setting, read, within

Keys = tuple[str, ...]
# Letters of a line of the template.
WIDTH = 100
# Settings that name files; relative ones are relative to the study file.
PATHS = ("events", "out", "store", "prices", "fill", "returns", "size", "confounders", "factors")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of a run in a study file: events, folders, prices, and what is a failure.

    Attributes
    ----------
    events : str
        The events file.
    out : str
        Folder of the runs.
    name : str
        Name of the run; "" = the name of the events file.
    offline : bool
        Never use the network.
    store : str
        The price cache; "" = the path in $EVENTSTUDY_STORE, or the user's price cache.
    vintage : str
        Use only prices that the price cache had at this date or time; "" = the newest prices.
    strict : bool
        Exit with code 3 if any event has no result.
    max_loss : float
        Largest fraction of events without a result. If more have no result, exit with code 3.
    """

    events: str = ""
    out: str = "reports"
    name: str = ""
    offline: bool = False
    store: str = ""
    vintage: str = ""
    strict: bool = False
    max_loss: float = 1.0

    def __post_init__(self) -> None:
        from ..files import checked_name
        from ..prices import moment

        if not 0 <= self.max_loss <= 1:
            raise ConfigError("not a share between 0 and 1", where="max_loss", value=self.max_loss)
        if self.name:
            with within("name"):
                checked_name(self.name)
        if self.vintage:
            moment(self.vintage)


@dataclass(frozen=True, slots=True)
class StudyFile:
    """What a study file says, checked; paths are relative to the working folder.

    Attributes
    ----------
    run : dict
        Settings of :class:`RunSettings` that it has.
    study : dict
        Settings of :class:`StudyConfig` that it has.
    path : Path, optional
        Where it is.
    """

    run: dict[str, Any] = field(default_factory=dict)
    study: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @classmethod
    def read(cls, path: str | Path) -> StudyFile:
        """Read and check a study file.

        Raises
        ------
        StudyFileError
            Naming every fault with its line.
        ConfigError
            If the file cannot be read.
        """
        path = Path(path)
        text = _text(path)
        try:
            tree = tomllib.loads(text)
            # Takes what is at fault out of the tree.
            problems = list(_problems(tree, _places(text)))
        except tomllib.TOMLDecodeError as error:
            raise StudyFileError(path, [_syntax(error, text)]) from None
        except RecursionError:
            raise make_error(ConfigError, "setting.deep", where=str(path)) from None
        run_settings = Setting.of(RunSettings)
        # The default too is beside the study file: a scheduler starts jobs in any folder.
        tree = {"out": run_settings["out"].default, **tree}
        settings = {key: _put(key, value, path.parent) for key, value in tree.items()}
        run = {k: v for k, v in settings.items() if k in run_settings}
        study = {k: v for k, v in settings.items() if k not in run_settings}
        file = cls(run, study, path)
        if problems:
            raise StudyFileError(path, problems, file)
        return file

    def check(self, **options: Any) -> tuple[RunSettings, StudyConfig]:
        """Return its settings in their own types; models and tests are looked up at once.

        Parameters
        ----------
        **options
            Settings that go before those of the file.

        Raises
        ------
        ConfigError
            For the first fault; ``where`` is the setting.
        """
        return _check(self.run | self.study | options)

    def problems(self, faults: Iterable[tuple[str, EventStudyError]]) -> list[Problem]:
        """Return faults with their lines in the file.

        A fault that names no setting is one of the setting that stands with it.

        Parameters
        ----------
        faults : iterable of (setting, EventStudyError)
        """
        places = _places(_text(self.path)) if self.path else {}
        at = [(e.where if e.where in places else setting, e) for setting, e in faults]
        return [_problem(setting, error, places)[0] for setting, error in at]

    @staticmethod
    def settings() -> dict[str, Setting]:
        """Return every setting of a study by name, those of :class:`Conventions` with its words."""
        return {**Setting.of(StudyConfig), **Setting.of(Conventions)}

    @staticmethod
    def template() -> str:
        """Return a study file with every setting commented out, from the docstrings of both
        records."""
        run = (_lines(s) for name, s in Setting.of(RunSettings).items() if name != "events")
        study = (_lines(s) for name, s in StudyFile.settings().items() if name != "grid")
        template = files("eventstudy").joinpath("data", "init", "study.toml").read_text("utf-8")
        return template.format(run="".join(run), study="".join(study))

    @staticmethod
    def schema() -> dict[str, Any]:
        """Return the schema, from the settings and what the docstrings say of them."""
        study = StudyFile.settings()
        del study["grid"]
        run = Setting.of(RunSettings)
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "A study of eventstudy",
            "type": "object",
            "properties": {
                **{name: _described(setting) for name, setting in run.items()},
                **{name: {"$ref": f"#/$defs/{name}"} for name in study},
                "grid": {
                    "description": Setting.of(StudyConfig)["grid"].about,
                    "type": "object",
                    "properties": {name: _described(s) for name, s in Setting.of(Grid).items()},
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
            "$defs": {name: _described(setting) for name, setting in study.items()},
        }  # fmt: skip


class StudyFileError(ConfigError):
    """A study file has faults; ``problems`` lists them in file order."""

    def __init__(
        self, path: str | Path, problems: list[Problem], valid: StudyFile | None = None
    ) -> None:
        self.path = str(path)
        self.problems = tuple(sorted(problems, key=lambda p: p.line))
        self.valid = valid or StudyFile(path=Path(path))
        super().__init__("\n".join(f"{self.path}:{problem}" for problem in self.problems))


def read_config(path: str | Path) -> StudyConfig:
    """Return the settings of a study file.

    A study file is a TOML file with the settings of a study. It may also have entries that are no
    settings of :class:`StudyConfig`, such as the path of the events file. The function checks these
    entries too, but does not return them.

    Parameters
    ----------
    path : str or Path
        The study file.

    Returns
    -------
    StudyConfig

    Raises
    ------
    StudyFileError
        If the file has errors. The message names every error with its line.

    Examples
    --------
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> _ = Path("study.toml").write_text('model = "market_adjusted"')
    >>> es.read_config("study.toml").model
    'market_adjusted'
    """
    return StudyConfig().with_options(StudyFile.read(path).study)


def _check(settings: Mapping[str, Any]) -> tuple[RunSettings, StudyConfig]:
    run_settings = Setting.of(RunSettings)
    run = RunSettings(**read(RunSettings, {k: v for k, v in settings.items() if k in run_settings}))
    study_settings = {k: v for k, v in settings.items() if k not in run_settings}
    config = StudyConfig(**read(StudyConfig, study_settings, RunSettings))
    factors = FactorLibrary.of(run.store, offline=run.offline).files(config.factors)
    config = replace(config, factors=factors)
    if "calendar" not in study_settings and run.events:
        calendar = usual_calendar(run.events, config.returns or None, config.ticker)
        config = replace(config, calendar=calendar)
    if config.returns and settings.get("prices"):
        name = Path(config.returns).name
        is_kind = name in ("simple", "log")
        remedy = f"for {name} returns of prices use the setting kind (--kind {name})" * is_kind
        raise ConfigError("give prices or returns, not both", where="returns", remedy=remedy)
    if config.returns and run.vintage:
        raise make_error(ConfigError, "setting.vintage_of_returns", where="vintage")
    _look_up(config)
    with within("grid"):
        for model in config.grid.get("model", ()):
            _look_up(config.with_model(model))
    return run, config


def _look_up(config: StudyConfig) -> None:
    from ..models import MODELS
    from ..significance import STATISTICS

    with within("model"):
        MODELS[config.normal_model]
    with within("model_options"):
        MODELS.make(config.normal_model, config.model_options)
    MODELS.make(config.normal_model, config.model_options, cov_type=config.cov_type)
    with within("tests"):
        for name in config.tests:
            STATISTICS[name]


def _text(path: Path) -> str:
    try:
        InputFile(path).require()
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        facts = {"where": str(path), "remedy": error.strerror or ""}
        raise ConfigError("cannot read the study file", **facts) from None
    except UnicodeDecodeError:
        raise ConfigError("the study file is not UTF-8", where=str(path)) from None


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    """Return where a text is not TOML; the parser says so in words only."""
    match = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
    if match:
        remedy = "write text in quotes" if match[1] == "Invalid value" else ""
        return Problem(int(match[2]), f"column {match[3]}", f"not TOML: {match[1]}", remedy=remedy)
    fault = str(error).partition(" (at ")[0]
    return Problem(text.rstrip().count("\n") + 1, "end of the file", f"not TOML: {fault}")


def _places(text: str) -> dict[str, tuple[Keys, int]]:
    """Return every key and table of a valid TOML text with its first line, by dotted name.

    A statement is what parses on its own; the next one begins on the line after it.
    """
    table: Keys = ()
    held, first, places = "", 1, dict[str, tuple[Keys, int]]()
    for number, line in enumerate(text.split("\n"), 1):
        first = first if held else number
        held += f"{line}\n"
        try:
            keys_of = list(_keys(tomllib.loads(held)))
        except tomllib.TOMLDecodeError:
            continue
        if held.lstrip().startswith("["):
            table, keys_of = keys_of[-1], [()]
        places |= {".".join(table + inner): (table + inner, first) for inner in keys_of}
        held = ""
    return places


def _keys(tree: Mapping[str, Any]) -> Iterator[Keys]:
    for key, value in tree.items():
        yield (key,)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from ((key, *keys) for keys in _keys(inner))


def _problems(tree: dict[str, Any], places: Mapping[str, tuple[Keys, int]]) -> Iterator[Problem]:
    """Yield every fault; a setting at fault is removed from `tree`, the rest checked again."""
    while True:
        try:
            _check(tree)
            return
        except ConfigError as error:
            problem, keys = _problem(error.where, error, places)
        yield problem
        if not keys:
            tree.clear()
            return
        table = functools.reduce(dict.__getitem__, keys[:-1], tree)
        del table[keys[-1]]


def _problem(
    setting: str, error: EventStudyError, places: Mapping[str, tuple[Keys, int]]
) -> tuple[Problem, Keys]:
    """Return a fault with its line, and under which keys the file has the setting."""
    where = setting
    while where and where not in places:
        where = where.rpartition(".")[0]
    inside = [place for name, place in places.items() if name.startswith(f"{setting}.")]
    keys: Keys = ()
    line = 1
    if where in places:
        keys, line = places[where]
    elif inside:
        # The file has a part of the setting alone.
        keys, line = inside[0][0][:1], inside[0][1]
    value = None if error.value is None else str(error.value)
    return Problem(line, error.where or "study", error.what, value, error.remedy), keys


def _put(key: str, value: Any, folder: Path) -> Any:
    """Return a setting; a relative path is put below the folder of the study file."""
    from ..prices import with_paths

    if key not in PATHS or (key, value) == ("size", "yahoo"):
        return value
    if key in ("prices", "fill") and isinstance(value, str):
        return with_paths(value, lambda path: str(folder / path))

    def below(text: Any) -> Any:
        is_path = isinstance(text, str) and text and not FactorLibrary.has(text)
        return str(folder / text) if is_path else text

    return list(map(below, value)) if isinstance(value, list) else below(value)


# A day from -FARTHEST to FARTHEST.
_DAY = r"[+-]?(0?[01]?\d{1,4}|0?20000)"
WINDOW: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": rf"^\s*\[?\s*{_DAY}\s*[:,]\s*{_DAY}\s*\]?\s*$"},
        {
            "type": "array", "minItems": 2, "maxItems": 2,
            "items": {"type": "integer", "minimum": -FARTHEST, "maximum": FARTHEST},
        },
    ]
}  # fmt: skip
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _lines(setting: Setting) -> str:
    """Return the lines of a setting in the template."""
    choices = ", ".join(filter(None, setting.choices))
    words = [setting.about, *filter(None, [choices])]
    about = textwrap.wrap(" Choices: ".join(words), WIDTH - 2)
    # The JSON of a default is its TOML as well.
    default = json.dumps(setting.plain_default)
    return "".join(["\n", *(f"# {line}\n" for line in about), f"#{setting.name} = {default}\n"])


def _described(setting: Setting) -> dict[str, Any]:
    single = _one(setting)
    kind = {"anyOf": [single, {"type": "array", "items": single}]} if setting.several else single
    return {"description": setting.about, **kind, "default": setting.plain_default}


def _one(setting: Setting) -> dict[str, Any]:
    if setting.kind is Window:
        return WINDOW
    from ..models import MODELS
    from ..significance import STATISTICS

    names = {"model": ["", *MODELS], "tests": list(STATISTICS)}
    choices = names.get(setting.name, list(setting.choices))
    if setting.name in TRUE:
        return {"enum": [*choices, True, False]}
    single: dict[str, Any] = {"type": TYPES[setting.kind], **({"enum": choices} if choices else {})}
    if setting.kind is int:
        lowest, highest = setting.limits
        single |= {"minimum": lowest} | ({} if highest is None else {"maximum": highest})
    return single | ({"minimum": 0, "maximum": 1} if setting.kind is float else {})
