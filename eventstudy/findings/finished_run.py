"""A finished run: its findings and tables, made of a fitted study or read from a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd

from .. import analysis
from ..errors import ConfigError, RunFolderError
from ..files import read_csv
from ..fitting import FittedStudy
from ..settings import StudyConfig
from ..utility import did_you_mean, stepping
from ..words import Reason, make_error
from .document import RESULTS, read_json, to_json
from .listed_events import list_events
from .sampling import sample_of
from .types import SCHEMA, Findings, ModelFacts, Note, Sample, Setup

Study = TypeVar("Study", bound=FittedStudy)
# Independent draws below which a calibrated p says nothing: its error is as large as itself.
FEWEST_EFFECTIVE = 60


def findings_of(
    study: FittedStudy, config: StudyConfig, *, name: str = "study",
    provenance: Mapping[str, Any] | None = None, tables: Mapping[str, pd.DataFrame] | None = None,
) -> Findings:  # fmt: skip
    """Return the findings of a fitted study; equal inputs give equal findings.

    Parameters
    ----------
    study : FittedStudy
    config : StudyConfig
        Decides windows, tests, groups, and the pages of single events.
    name : str
        Name of the run.
    provenance : mapping, optional
        ``events_source``, ``events_sha256``, ``versions`` (by package), ``command``, ``prices`` (by
        symbol: source, detail, first, last, rows).
    tables : mapping of str to DataFrame, optional
        Those of `study_tables`, if they are there already.
    """
    tables = analysis.study_tables(study, config) if tables is None else tables
    return Findings(
        schema=SCHEMA,
        name=name,
        setup=_setup(study, config, study.group_column(config.by)),
        samples=_samples(_studies_of(study, config), config),
        events=tuple(list_events(study, config)),
        dropped=count_dropped(study),
        notes=notes_of(study),
        tables={n: table for n, table in tables.items() if n not in analysis.SHOWN_ELSEWHERE},
        provenance={k: v for k, v in (provenance or {}).items() if k != "notices"},
    )


def find_group(study: Study, group: str | None = None) -> tuple[str, Study]:
    """Return one group of a study with its name; by default that of the answer.

    Parameters
    ----------
    study : FittedStudy
    group : str, optional
        A value of the column that splits the study; "" for all events together.

    Raises
    ------
    ConfigError
        If there is no such group.
    """
    studies = _studies_of(study, study.settings)
    name = next(iter(studies)) if group is None else group
    if name not in studies:
        names = list(filter(None, studies))
        remedy = did_you_mean(name, names) or f"it has {', '.join(names) or 'none'}"
        raise ConfigError("no such group", value=name, remedy=remedy)
    return name, studies[name]


def _studies_of(study: Study, config: StudyConfig) -> dict[str, Study]:
    """Return the groups of a study, that of the answer first, and last all events (group "")."""
    column = study.group_column(config.by)
    groups = study.groups(column) if column else {}
    first = analysis.leading_group(groups, config.main)
    ordered = sorted(groups, key=lambda group: group != first)
    return {**{group: groups[group] for group in ordered}, "": study}


def _samples(studies: Mapping[str, FittedStudy], config: StudyConfig) -> tuple[Sample, ...]:
    """Return what each group shows; the answer of the first, the headline's, is calibrated."""
    first, *groups = (sample_of(study, config, group) for group, study in studies.items())
    decided = (analysis.Answer.DIFFERENT, analysis.Answer.NOT_DIFFERENT)
    if config.calibrate and first.answer.verdict in decided:
        with stepping("other dates"):
            study = next(iter(studies.values()))
            numbers = analysis.calibrated(study, config.main, config.calibrate)
        first = _with_calibration(first, numbers)
    return first, *groups


def _with_calibration(sample: Sample, numbers: analysis.Calibration) -> Sample:
    """Return a sample with the calibrated p of its answer and the measured rates of its tests.

    With few independent draws their errors are as large as they are: then it has the reason alone.
    """
    brief = numbers.brief
    if not numbers.reason and numbers.effective_draws < FEWEST_EFFECTIVE:
        facts = {"n": round(numbers.effective_draws), "needed": FEWEST_EFFECTIVE}
        brief = analysis.Calibrated(reason=str(Reason("few_effective_dates", **facts)))
        numbers = replace(numbers, sizes=numbers.sizes.iloc[:0])
    answer = replace(sample.answer, calibrated=brief)
    answer = replace(answer, caveat=answer.find_caveat())
    rated = numbers.rated
    main = replace(sample.main, answer=answer, tests=tuple(map(rated, sample.main.tests)))
    windows = tuple(main if w.window == main.window else w for w in sample.windows)
    diagnosis = sample.diagnosis
    if diagnosis is not None:
        diagnosis = replace(diagnosis, opinions=tuple(map(rated, diagnosis.opinions)))
    return replace(sample, main=main, windows=windows, diagnosis=diagnosis)


def _setup(study: FittedStudy, config: StudyConfig, column: str) -> Setup:
    a, used, sizes = study.abnormal, study.events[study.ok], study.sizes
    days = used["day0"]
    reasons = Counter(w.code for w in study.events["reason"] if isinstance(w, Reason))
    is_extended = np.any([a.extended(window) for window in config.tested], axis=0)
    return Setup(
        settings=config.to_dict() | {"model": config.normal_model},
        measure=study.panel.measure,
        kind=a.windows.kind,
        engine=study.engine,
        model=_model(study),
        main=config.main,
        estimation=a.windows.estimation,
        event=a.windows.event,
        tested=tuple(config.tested),
        conventions=asdict(a.conventions),
        group_column=column,
        n_events=len(study.events),
        n_used=len(study),
        n_firms=len({study.firms[i] for i in np.flatnonzero(a.in_tests(config.main)).tolist()}),
        is_sampled=study.is_large,
        first=f"{days.min():%Y-%m-%d}" if len(days) else "",
        last=f"{days.max():%Y-%m-%d}" if len(days) else "",
        benchmarks=_distinct(used, "benchmark"),
        directions=tuple(sorted(set(_distinct(used, "direction")) - {""})),
        estimation_days=(int(used["nobs"].min()), int(used["nobs"].max())) if len(used) else (),
        has_repeats=bool(used["ticker"].duplicated().any()),
        overlapped=reasons["overlapped"],
        confounded=reasons["confounded"],
        extended=int(is_extended.sum()),
        issues=_issues(study),
        currency="" if sizes is None else sizes.currency,
        sizes_source="" if sizes is None else sizes.origin.source,
    )


def _issues(study: FittedStudy) -> dict[str, int]:
    """Return the number of price-data issues in the windows of used events by kind.

    Issues are counted as their words say: sessions, prices, suspensions.
    """
    if len(study) == 0:
        return {}
    faults = analysis.faults_in_windows(study.subset(study.ok))
    # A session that a whole exchange lacks counts once.
    distinct = {fault.date if fault.kind == "lost_session" else fault: fault for fault in faults}
    counts = Counter[str]()
    for fault in distinct.values():
        counts[fault.kind] += fault.n
    return dict(counts.most_common())


def _distinct(events: pd.DataFrame, column: str) -> tuple[str, ...]:
    """Return the distinct cells of a column, in the order of the events; none without it."""
    if column not in events:
        return ()
    return tuple(dict.fromkeys(str(cell).strip() for cell in events[column]))


def _model(study: FittedStudy) -> ModelFacts:
    model, a = study.model, study.abnormal
    return ModelFacts(
        name=model.name,
        label=model.label,
        formula=model.formula + "; alpha_i = 0 on event days" * model.zero_alpha,
        source=model.source,
        factors=tuple(factor.name for factor in model.factors),
        parameters=tuple(model.parameters),
        least_squares=model.least_squares,
        exact=model.exact,
        forecasts_variance=model.forecasts_variance,
        cov_type=model.cov_type,
        freedom_lost=tuple(map(int, np.unique((a.nobs - a.df_resid)[study.ok]))),
        instead_of=study.instead_of,
    )


def count_dropped(study: FittedStudy) -> tuple[tuple[Reason, int], ...]:
    """Return the kinds of reasons, each by an event that has it, and how many events have it."""
    reasons = [Reason.of(cell) for cell in study.events.loc[~study.ok, "reason"]]
    first = {reason.head: reason for reason in reversed(reasons)}
    counts = Counter(reason.head for reason in reasons)
    return tuple((first[head], n) for head, n in counts.most_common())


# Notes on what is done as a matter of course, and on what makes all numbers wrong.
ROUTINE = frozenset({"no_trade", "closed_days", "limits_from_returns", "limits_of_returns"})
SERIOUS = frozenset({"like_percent"})
# Notices that prices are not from the source asked for.
STAND_INS = frozenset({"sample_used", "part_stored", "stored_used"})


def notes_of(study: FittedStudy) -> tuple[Note, ...]:
    """Return the notices and notes of the panel, notices first.

    What is done as a matter of course, and what is of a series that no used event needs, changes no
    reading of the answer.
    """
    panel, used = study.panel, study.events.loc[study.ok, ["ticker", "benchmark"]]
    named = ";".join(used.astype(str).to_numpy().ravel())
    needed = {symbol.strip() for symbol in named.split(";")}

    def note(text: str, *, notice: bool) -> Note:
        """Return a note of the panel with its weight; notices may be serious."""
        reason = Reason.of(text)
        symbol = reason.facts.get("symbol", "")
        unused = symbol in panel.provenance and symbol not in needed
        is_harmless = len(study) > 0 and (reason.code in ROUTINE or unused)
        serious = notice and reason.code in SERIOUS
        return Note(reason, is_notice=notice, is_warning=not is_harmless, is_serious=serious)

    notices = [note(text, notice=True) for text in panel.notices]
    return (*notices, *(note(text, notice=False) for text in panel.notes))


# Columns of text of the tables that stand only in files, which may look like numbers.
TEXTS = ("event_id", "ticker")
DATES = {"date", "last_session"}


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What every format is made from.

    Attributes
    ----------
    findings : Findings
    made : mapping of str to DataFrame, optional
        All of ``tables/*.csv`` by file name; None of a run that is read.
    folder : Path, optional
        The run folder that it was read from.
    """

    findings: Findings
    made: Mapping[str, pd.DataFrame] | None = None
    folder: Path | None = None

    # The document of a run folder.
    DOCUMENT: ClassVar = RESULTS

    @classmethod
    def of(
        cls, study: FittedStudy, config: StudyConfig | None = None, *, name: str = "study",
        provenance: Mapping[str, Any] | None = None,
        tables: Mapping[str, pd.DataFrame] | None = None,
    ) -> FinishedRun:  # fmt: skip
        """Return a study as a finished run; nothing is written.

        Parameters
        ----------
        study : FittedStudy
        config : StudyConfig, optional
            By default one with the windows of the study.
        name : str
            Name of the run.
        provenance, tables : mapping, optional
            As for `findings_of`; where the prices are from is added.
        """
        config = config or study.settings
        tables = analysis.study_tables(study, config) if tables is None else tables
        sources = {**(provenance or {}), "prices": _prices_of(study)}
        return cls(findings_of(study, config, name=name, provenance=sources, tables=tables), tables)

    @classmethod
    def read(cls, folder: Path) -> FinishedRun:
        """Return the run in a folder.

        Raises
        ------
        RunFolderError
            If this is no run, or one of another version.
        """
        if not (folder / "manifest.json").is_file():
            code = "wrong.not_a_run" if folder.exists() else "wrong.no_folder"
            raise make_error(RunFolderError, code, value=str(folder))
        return cls(read_findings(folder), folder=folder)

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """All of ``tables/*.csv`` by file name, with their types."""
        if self.made is not None or self.folder is None:
            return self.made or {}
        files = {path.stem: path for path in (self.folder / "tables").glob("*.csv")}
        column = self.findings.setup.group_column
        tables = dict(self.findings.tables)
        for name in analysis.SHOWN_ELSEWHERE & files.keys():
            tables[name] = _table(files[name], column)
        return tables

    @property
    def text(self) -> str:
        """``results.json``: the findings, and the answers of all events and of each group."""
        names = {"": "pooled", "pooled": "pooled (group)"}
        samples = (self.findings.pooled, *self.findings.groups)
        answers = {names.get(s.group, s.group): s.answer.to_dict() for s in samples}
        return to_json(self.findings, answer=answers)


def _prices_of(study: FittedStudy) -> dict[str, dict[str, Any]]:
    """Return where the prices of each symbol are from, without the clock."""
    prices = {}
    for symbol, entry in study.panel.provenance.items():
        prices[symbol] = {key: value for key, value in entry.items() if key != "retrieved_at"}
    return prices


def read_findings(folder: Path) -> Findings:
    """Return the findings of the run in a folder; RunFolderError if it has none of this form."""
    try:
        text = (folder / RESULTS.file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise make_error(RunFolderError, "wrong.no_results", where=str(folder)) from None
    except (OSError, UnicodeError):
        text = "{}"
    return read_json(text, str(folder / RESULTS.file))


def _table(path: Path, column: str) -> pd.DataFrame:
    """Return a table of a run with its types; a blank cell is NaN."""
    texts = dict.fromkeys([*TEXTS, *filter(None, [column])], str)
    blank = {"keep_default_na": False, "na_values": [""]}
    table = read_csv(path, dtype=texts, **blank)
    return table.astype(dict.fromkeys(DATES & {*table.columns}, "datetime64[s]"))
