"""A proof of a run: its data and numbers as plain files, and a program that computes them again.

The program is for a reader who trusts neither us nor our code. It imports nothing of this package,
and reads nothing but the three files beside it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ..analysis import compute_study
from ..calendars import Exchange, Sessions
from ..errors import RunFolderError
from ..files import quoted, to_csv
from ..fitting import FittedStudy, awaits_days
from ..returns import Factor, conversions, rate_symbol
from ..settings import StudyConfig
from ..utility import Flag, step
from ..words import make_error, say
from .atomic_swap import as_run_folder_errors, clear_remains, follow_link, locked, staged
from .manifest import LARGEST_TABLE, MANIFEST
from .record import Record

TEMPLATES = files("eventstudy") / "data" / "proof"
PRICES, EVENTS, SETTINGS, CHECK = "prices.csv", "events.csv", "settings.json", "check.py"
WRITTEN = (CHECK, "README.md")
SCHEMA = "eventstudy-proof/1"
# A symbol and a session.
Place: TypeAlias = tuple[str, Any]
# The tables of a run of which the program computes numbers, by name in `claims`; these numbers, to
# which the parameters of the model come; and what tells the rows apart.
TABLES = {
    "models": ("tables/models.csv",),
    "car": ("tables/car.csv",),
    "windows": ("tables/caar.csv", "tables/caar_by_group.csv"),
    "tests": ("tables/tests.csv", "tables/tests_by_group.csv"),
}
NUMBERS = {
    "models": ("nobs", "sigma", "r2"),
    "car": (
        "car", "se", "statistic", "pvalue", "scar", "bhar", "ci_low", "ci_high",
        "variance_multiple", "pvalue_regime",
    ),
    "windows": (
        "n_events", "caar", "se", "ci_low", "ci_high", "median", "positive", "weighted_caar",
        "weighted_se", "weighted_low", "weighted_high", "pvalue",
    ),
    "tests": ("statistic", "pvalue"),
}  # fmt: skip
KEYS = {
    "models": ("event_id",), "car": ("event_id", "start", "stop"),
    "windows": ("group", "start", "stop"), "tests": ("group", "test", "start", "stop"),
}  # fmt: skip
TESTS = (
    "bmp_kp", "bmp", "patell", "patell_kp", "patell_kp_regime", "cross_sectional", "event_t",
    "event_t_regime",
)  # fmt: skip
KINDS = {"market_adjusted": "adjusted"}
MODELS = (
    "market", "market_adjusted", "constant_mean", "capm", "ff3", "carhart", "ff5", "factors",
)  # fmt: skip
# Settings of which the program knows one value.
USUAL = {
    "measure": "return", "cov_type": "nonrobust", "model_options": (), "halt": "calendar",
    "scar": "exact", "overlap": "exact", "missing": "drop",
}  # fmt: skip
# Of more events the correlation is estimated in another way (docs/methods/tests.md).
MOST_EVENTS = 2000
ALWAYS_OPEN = 0.0, 24.0


@dataclass(frozen=True, slots=True)
class Proof:
    """A folder that proves a run, and what its program said.

    Attributes
    ----------
    folder : Path
    ok : bool
        Whether every number agreed.
    text : str
        What ``check.py`` printed.
    """

    folder: Path
    ok: bool
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"ok": self.ok, "lines": self.text.splitlines()}

    def __str__(self) -> str:
        return self.text


def write_proof(run: str | Path, target: Path | None = None, *, force: bool = False) -> Proof:
    """Write the proof of a run, and return what its program says in a process of its own.

    Parameters
    ----------
    run : path
        A run folder.
    target : Path, optional
        By default ``NAME-proof`` beside it.
    force : bool
        Take the place of another proof.

    Returns
    -------
    Proof

    Raises
    ------
    RunFolderError
        If it is no run folder, if no number of it can be proved, or if what is at `target` may not
        be replaced.
    AlteredError
        If the inputs of the run are not as they were written.

    Examples
    --------
    >>> from pathlib import Path
    >>> import eventstudy as es
    >>> from eventstudy.runs import Origin, write_proof
    >>> _ = Path("amd.csv").write_text("ticker,announced_at" + chr(10) + "AMD,2022-10-07")
    >>> _ = es.refresh_run(Origin(Path("amd.csv"), es.StudyConfig(prices="sample")), Path("amd"))
    >>> proof = write_proof("amd")
    >>> proof.ok, proof.text.splitlines()[0]
    (True, '214 of 214 numbers agree')
    """
    record = Record.read(run)
    beside = record.folder.absolute()
    target = follow_link(target or beside.with_name(f"{beside.name}-proof"))
    _refuse_place(target, force=force)
    record.refuse_altered()
    step("proof")
    inputs, _ = record.frozen.read()
    # What is computed beside the study itself is in no proof.
    inputs = inputs.without_grid()
    alone = replace(inputs.config, size="")
    contents = Contents(record, compute_study(replace(inputs, config=alone)), alone).files()
    with as_run_folder_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target):
            clear_remains(target)
            with staged(target) as stage:
                for name, data in contents.items():
                    (stage / name).write_bytes(data)
    done = _run(target / CHECK)
    return Proof(target, done.returncode == 0, (done.stdout + done.stderr).rstrip())


def is_proof(folder: Path) -> bool:
    """Return whether a folder is a proof, of whomever; no run is one, whatever is in its folder.

    Parameters
    ----------
    folder : Path
    """
    settings = folder / SETTINGS
    if settings.is_symlink() or not settings.is_file() or (folder / MANIFEST).exists():
        return False
    with settings.open("rb") as file:
        return SCHEMA.encode() in file.read(100)


def check_proof(folder: Path) -> Proof:
    """Compute the numbers of a proof again with our program, and nothing of its folder executed.

    Parameters
    ----------
    folder : Path
        It may be of somebody else: its data are copied to a place without a program of its own.

    Returns
    -------
    Proof

    Raises
    ------
    RunFolderError
        If its data are no plain files, or nothing can be computed from them.
    """
    with tempfile.TemporaryDirectory(prefix="eventstudy-") as place:
        program = Path(place) / CHECK
        program.write_bytes(_filled(CHECK, {"STUDY": "", "MODEL": ""}))
        for name in (PRICES, EVENTS, SETTINGS):
            path = folder / name
            if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_TABLE:
                raise make_error(RunFolderError, "proof.no_file", where=str(path))
            shutil.copyfile(path, program.with_name(name))
        done = _run(program)
    if not done.stdout:
        why = done.stderr.rstrip().rpartition("\n")[2]
        raise make_error(RunFolderError, "proof.damaged", where=str(folder), why=why[:200])
    return Proof(folder, done.returncode == 0, done.stdout.rstrip())


def _run(program: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of a proof, to which no module is open but those that are installed."""
    command = [sys.executable, "-I", "-B", str(program)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def _refuse_place(target: Path, *, force: bool) -> None:
    """Raise RunFolderError where a proof may not be written."""
    if not target.exists():
        return
    if not is_proof(target):
        raise make_error(RunFolderError, "proof.foreign", where=str(target))
    if not force:
        raise make_error(RunFolderError, "proof.exists", where=str(target))


@dataclass(frozen=True, eq=False)
class Contents:
    """What the files of a proof hold.

    Attributes
    ----------
    record : Record
        The run, whose tables have the numbers.
    study : FittedStudy
        Of the same inputs. Sessions, indices, and which prices and events are used are its own.
    config : StudyConfig
    """

    record: Record
    study: FittedStudy
    config: StudyConfig
    lacking: list[dict[str, Any]] = field(default_factory=list)

    def files(self) -> dict[str, bytes]:
        """Return the files by name.

        Raises
        ------
        RunFolderError
            If no number can be proved.
        """
        if reasons := [*self._reasons()]:
            where = str(self.record.folder)
            raise make_error(RunFolderError, "proof.none", where=where, reasons=reasons)
        claims = self._claims()
        tests = claims["tests"]
        made = dict.fromkeys(zip(tests["group"], tests["test"], strict=True))
        asked = {
            "tests": _columns(("group", "test"), made),
            "waits": _columns(("group", "start", "stop"), self._waits()),
        }
        settings = {
            "schema": SCHEMA, "study": self.record.facts.name, **self._settings(), **asked,
            "not_covered": self.lacking, "claims": claims,
        }  # fmt: skip
        model = self.study.model
        places = {
            "STUDY": self.record.facts.name,
            "MODEL": f"{model.label}, {model.formula}",
            "LACKING": "\n".join(f"- {n['numbers']} numbers: {n['what']}" for n in self.lacking),
        }
        written = {name: _filled(name, places, self.parts) for name in WRITTEN}
        return {
            PRICES: to_csv(self._prices()),
            EVENTS: to_csv(self.events.drop(columns="has_day0")),
            SETTINGS: _json(settings).encode(),
            **written,
        }

    def _reasons(self) -> Iterator[str]:
        """Yield why nothing of the study can be proved; nothing where it can."""
        study, panel = self.study, self.study.panel
        if not len(study):
            yield say("proof.no_events")
        if study.model.name not in MODELS or study.instead_of:
            yield say("proof.model", model=study.model.label)
        for name, usual in USUAL.items():
            value = getattr(self.config, name)
            if value != usual:
                shown = value if isinstance(value, str) else ", ".join(value)
                yield say("proof.setting", name=name, value=shown)
        if len(study) > MOST_EVENTS:
            yield say("proof.many", n=len(study), most=MOST_EVENTS)
        if study.is_large:
            yield say("proof.listed", n=len(study.events))
        if filled := {fault.symbol for fault in panel.faults if fault.kind == "filled"}:
            yield say("proof.filled", n=len(filled))
        for i, (symbol, _) in enumerate(panel.keys):
            if symbol.startswith(Factor.PREFIX) and (panel.spans[i] > 1).any():
                yield say("proof.factor_gaps", name=symbol.removeprefix(Factor.PREFIX))
        used: dict[Place, tuple[str, float]] = {}
        for place, state, value in self._uses():
            use = state, value if self._is_given(place) else 0.0
            if used.setdefault(place, use) != use:
                yield say("proof.two_uses", symbol=place[0])
                return

    @cached_property
    def homes(self) -> set[str]:
        """The calendars of the used events."""
        codes = self.study.events.loc[self.study.ok, "exchange"]
        return {self.study.panel.calendar_of(code) for code in codes}

    @cached_property
    def pairs(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The currencies of each series that is converted."""
        all_pairs = conversions(self.study.panel, self.config.currency)
        return {key: pair for key, pair in all_pairs.items() if key[1] in self.homes}

    @cached_property
    def samples(self) -> dict[str, FittedStudy]:
        """All events, by the name "", and those of each group."""
        column = self.study.group_column(self.config.by)
        groups = self.study.groups(column) if column else {}
        return {"": self.study, **{quoted(str(name)): group for name, group in groups.items()}}

    @cached_property
    def events(self) -> pd.DataFrame:
        """The events with what the program needs of each, dropped ones too."""
        table, panel = self.study.events, self.study.panel
        days = table["day0"].to_numpy().astype("datetime64[D]")
        calendars = list(map(panel.calendar_of, table["exchange"].tolist()))
        has_day0 = []
        for name, stamp, day in zip(calendars, table["announced_at"], days, strict=True):
            known = panel.sessions[panel.calendars[name] if name in self.homes else slice(0)]
            is_known = len(known) > 0 and bool(known[0] <= day <= known[-1])
            has_day0.append(is_known and str(stamp)[:10] >= str(known[0]))
        given = table["flags"].str.split(";").apply(lambda flags: Flag.DAY0_GIVEN in flags)
        group = np.full(len(table), "", dtype=object)
        if column := self.study.group_column(self.config.by):
            for name, events in self.study.groups(column).items():
                group[table["event_id"].isin(events.events["event_id"]).to_numpy()] = str(name)
        blank = pd.Series("", index=table.index)
        return pd.DataFrame({
            **{name: table[name] for name in ("event_id", "ticker", "announced_at")},
            **{name: table.get(name, blank) for name in ("tz", "when")},
            "day0_given": np.where(given, days.astype(str), ""),
            "exchange": [name if name in self.homes else "" for name in calendars],
            "benchmark": table["benchmark"], "group": group, "status": table["status"],
            "reason": table["reason"].astype(str), "day0": days.astype(str), "has_day0": has_day0,
        })  # fmt: skip

    @cached_property
    def parts(self) -> dict[str, bool]:
        """Which parts of the program the study needs."""
        panel, runs = self.study.panel, self.study.abnormal.runs
        events = self.events[self.events["exchange"] != ""]
        has_clock = (events[["tz", "when", "day0_given"]] != "").to_numpy().any()
        has_time = (events["announced_at"].str.len() > len("2020-01-31")).any()
        hours = [panel.hours.get(name, ALWAYS_OPEN) for name in self.homes]
        is_benchmark = events["benchmark"].str.contains(";", regex=False)
        return {
            "portfolios": bool(is_benchmark.any()),
            "returns": any(self._is_given((symbol, "")) for symbol in panel.symbols),
            "currencies": bool(self.pairs),
            "closed": bool(self.homes & panel.closed.keys()),
            "clock": bool(has_clock or has_time),
            "adjusted": self.study.model.name in KINDS,
            "excess": bool(getattr(self.study.model, "excess", False)),
            "apart": any(a[0] >= b[1] for a in hours for b in hours),
            "limits": bool(
                self.config.limits != "none" and runs is not None and runs.at_limit.any()
            ),
        }  # fmt: skip

    def _uses(self) -> Iterator[tuple[Place, str, float]]:
        """Yield how each price is used, and the return that ends with it (NaN for none).

        It is used (``yes``), or the ``start`` of returns without one of its own; others are in no
        return.
        """
        panel = self.study.panel
        for row, (symbol, calendar) in enumerate(panel.keys):
            if ";" in symbol or calendar not in self.homes:
                continue
            columns = panel.calendars[calendar]
            days = panel.sessions[columns]
            spans = panel.spans[row, columns].astype(np.int64)
            ends = np.flatnonzero(spans > 0)
            bases = ends - spans[ends]
            bases = bases[bases >= 0]
            first = bases.min(initial=len(days))
            for t in np.union1d(ends, bases).tolist():
                state = "yes" if spans[t] > 0 or t == first else "start"
                yield (symbol, days[t]), state, float(panel.values[row, columns[t]])

    def _is_given(self, place: Place) -> bool:
        """Return whether a series has returns of a file, and no prices."""
        return self.study.panel.prices is None or place[0].startswith(Factor.PREFIX)

    def _prices(self) -> pd.DataFrame:
        """Return the kept prices, and returns of files, each with how it is used."""
        panel = self.study.panel
        uses: dict[Place, str] = {}
        returns: list[tuple[str, Any, float]] = []
        for place, state, value in self._uses():
            uses[place] = state
            if self._is_given(place) and np.isfinite(value):
                returns.append((*place, value))
        given = pd.DataFrame(returns, columns=["symbol", "date", "return"])
        given = given.drop_duplicates(["symbol", "date"]).assign(used="yes", note="")
        kept = given.iloc[:0] if panel.prices is None else panel.prices
        columns = ["symbol", "date", "close", "adj_close", "volume", "return"]
        kept = kept.reindex(columns=columns)
        places = _places_of(kept)
        kept["used"] = [uses.get(place, "no") for place in places]
        kept["note"] = [self._note(place) if uses.get(place) != "yes" else "" for place in places]
        table = pd.concat([part for part in (kept, given) if len(part)], ignore_index=True)
        limited = self._limited()
        places = _places_of(table)
        table["at_limit"] = ["yes" if place in limited else "" for place in places]
        table["date"] = table["date"].to_numpy().astype("datetime64[s]")
        return table.reindex(columns=[*columns, "used", "at_limit", "note"])

    def _note(self, place: Place) -> str:
        """Return the price-data issues on a day, as they are called in ``tables/faults.csv``."""
        symbol, day = place
        found = self.study.panel.faults_near(symbol, day, day)
        return " ".join(dict.fromkeys(str(fault.kind) for fault in found))

    def _limited(self) -> set[Place]:
        """Return the closes at a price limit."""
        panel = self.study.panel
        if panel.limits is None:
            return set()
        rows, columns = np.nonzero(panel.limits)
        return {(panel.keys[i][0], panel.sessions[t]) for i, t in zip(rows, columns, strict=True)}

    def _settings(self) -> dict[str, Any]:
        """Return the settings that the program reads."""
        config, study = self.config, self.study
        codes = sorted({code for pair in self.pairs.values() for code in pair} - {"USD"})
        rates = {}
        for code in codes:
            symbol = rate_symbol(code)
            rates[code] = {"symbol": symbol, "dollars_per_unit": symbol.startswith(f"{code}USD")}
        return {
            "model": self._model(), "returns": study.panel.kind,
            "estimation": [config.estimation.start, config.estimation.stop],
            "event": [config.event.start, config.event.stop],
            "windows": [[window.start, window.stop] for window in config.tested],
            "groups": [*self.samples], "least_history": study.abnormal.least_history,
            "mask": config.repeat != "keep-all", "limits": config.limits,
            "dates_only": config.calendar == "data" or not self._has_hours,
            "rates": rates,
            "conversions": {f"{s} {name}": list(pair) for (s, name), pair in self.pairs.items()},
            "exchanges": {name: self._exchange(name) for name in sorted(self.homes)},
        }  # fmt: skip

    def _waits(self) -> Iterator[tuple[str, int, int]]:
        """Yield group and window of each sample that waits for days: it has neither test nor p."""
        for group, sample in self.samples.items():
            for window in self.config.tested:
                if awaits_days(sample, window):
                    yield group, window.start, window.stop

    def _model(self) -> dict[str, Any]:
        """Return the model: its series, how many have slopes, and which of them is the market."""
        model = self.study.model
        series = []
        for factor in model.factors:
            is_index = factor.name == Factor.MARKET.name
            series.append("benchmark" if is_index else Factor.PREFIX + factor.name)
        columns = getattr(model, "columns", ())
        market = 0 if series[:1] == ["benchmark"] else None
        if "mkt_rf" in columns:
            market = columns.index("mkt_rf")
        return {
            "name": model.name, "kind": KINDS.get(model.name, "regression"), "series": series,
            "slopes": len(series) - self.parts["excess"], "excess": self.parts["excess"],
            "market": market, "parameters": list(model.parameters),
        }  # fmt: skip

    def _exchange(self, name: str) -> dict[str, Any]:
        """Return the sessions of a calendar within the data, with their hours (UTC)."""
        panel = self.study.panel
        home = Exchange.of_code(name)
        like = Sessions.of(home.calendar) if home and home.calendar else None
        zone = like.tz if like else "UTC"
        known = Sessions.of_days(name, zone, panel.sessions[panel.calendars[name]], like)
        return {
            "zone": zone, "hours": list(panel.hours.get(name, ALWAYS_OPEN)),
            "sessions": known.dates.astype(str).tolist(),
            "opens": known.opens.astype(str).tolist(), "closes": known.closes.astype(str).tolist(),
        }  # fmt: skip

    @property
    def _has_hours(self) -> bool:
        """Whether the hours of all exchanges are known."""
        return all(Exchange.of_code(name) is not None for name in self.homes)

    def _claims(self) -> dict[str, Any]:
        """Return the numbers of the run that the program computes; count all others."""
        days = self.events.loc[self.events["has_day0"], ["event_id", "day0"]]
        names = list(map(quoted, days["event_id"]))
        claims: dict[str, Any] = {"day0": {"event_id": names, "day0": days["day0"].tolist()}}
        here = self.record.facts.files
        for name, places in TABLES.items():
            present = [place for place in places if place in here]
            table = pd.concat([self._cells(place) for place in present], ignore_index=True)
            if name == "tests":
                others = table[~table["test"].isin(TESTS)]
                self._lack("other_tests", others[[*NUMBERS[name]]], dict.fromkeys(others["test"]))
                table = table[table["test"].isin(TESTS)]
            wanted = NUMBERS[name]
            if name == "models":
                wanted = (*wanted, *self.study.model.parameters)
            keys = {key: _keys(table[key]) for key in KEYS[name]}
            claims[name] = keys | {number: _numbers(table[number]) for number in wanted}
        covered = {place for places in TABLES.values() for place in places}
        rest = [place for place in here if place.startswith("tables/") and place.endswith(".csv")]
        rest = [place for place in rest if place not in covered]
        if rest:
            cells = [self.record.cells(place).to_numpy().ravel() for place in rest]
            names = sorted(Path(place).stem for place in rest)
            self._lack("other_tables", pd.DataFrame(np.concatenate(cells)), names)
        return claims

    def _lack(self, code: str, cells: pd.DataFrame, names: Iterable[str]) -> None:
        """Note the numbers among cells of text as not covered."""
        numbers = cells.apply(pd.to_numeric, errors="coerce")
        if count := int(numbers.notna().to_numpy().sum()):
            what = say(f"proof.{code}", names=list(names))
            self.lacking.append({"numbers": count, "what": what})

    def _cells(self, place: str) -> pd.DataFrame:
        """Return the cells of a table of the run as text, with a column of groups."""
        table = self.record.cells(place)
        if place.endswith("_by_group.csv"):
            return table.rename(columns={table.columns[0]: "group"})
        return table.assign(group="")


def _places_of(table: pd.DataFrame) -> list[Place]:
    """Return symbol and day of each row."""
    days = table["date"].to_numpy().astype("datetime64[D]")
    return list(zip(table["symbol"].tolist(), days, strict=True))


def _columns(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """Return rows as columns by name."""
    table = list(rows)
    return {name: [row[i] for row in table] for i, name in enumerate(names)}


def _keys(column: pd.Series[str]) -> list[Any]:
    """Return what tells rows apart: days as whole numbers, names as ``events.csv`` has them."""
    if column.name in ("start", "stop"):
        return [int(cell) for cell in column]
    return list(map(quoted, column))


def _numbers(column: pd.Series[str]) -> list[float | None]:
    """Return the numbers of a column of text, None for a blank cell."""
    return [float(cell) if cell else None for cell in column]


def _filled(name: str, places: Mapping[str, str], parts: Mapping[str, bool] | None = None) -> bytes:
    """Return a file of the proof, written for a study.

    A part between the lines ``#< NAME`` and ``#>`` stays where the study needs it; without `parts`
    all stay.
    """
    lines = []
    keeps = True
    for line in (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8").splitlines(keepends=True):
        mark = line.strip()
        if mark.startswith("#< "):
            keeps = parts is None or parts[mark.removeprefix("#< ")]
        elif mark == "#>":
            keeps = True
        elif keeps:
            lines.append(line)
    text = "".join(lines)
    for place, content in places.items():
        text = text.replace(f"@{place}@", content)
    return text.encode()


def _json(settings: Mapping[str, Any]) -> str:
    """Return JSON, a line for each entry and for each of an entry with several."""
    lines = []
    for name, value in settings.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict) and value:
            rows = [_json_entry(key, inner) for key, inner in value.items()]
            text = "{\n  " + ",\n  ".join(rows) + "\n}"
        lines.append(f'"{name}": {text}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _json_entry(key: str, value: object) -> str:
    return f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"
