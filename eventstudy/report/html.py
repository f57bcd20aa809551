"""The report of a study: one HTML page that needs nothing else and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..significance import STATISTICS
from ..windows import Window
from . import plots, sections, wording
from .facts import crowding, hazards, interval
from .measures import in_its_words, words
from .references import references
from .wording import NBSP

if TYPE_CHECKING:
    from ..config import StudyConfig
    from ..results import EventStudyResults

TEMPLATES = Path(__file__).parent / "templates"
SHOWN_PANELS = 6
OPEN_LIST = 6


@in_its_words
def render_report(
    results: EventStudyResults,
    *,
    config: StudyConfig,
    name: str,
    groups: Mapping[str, EventStudyResults],
    provenance: Mapping[str, Any],
) -> str:
    """Return the page; equal inputs give equal bytes.

    Parameters
    ----------
    results : EventStudyResults
        All events.
    config : StudyConfig
    name : str
        Name of the study.
    groups : mapping of str to EventStudyResults
        Parts of the events, largest first; the answer is about the leading one. Empty = no groups.
    provenance : mapping
        ``events_source``, ``events_sha256``, ``versions`` (by package), ``command``, ``prices`` (by symbol:
        source, detail, first, last, rows). What is missing is left out.
    """
    group = wording.leading(groups, config.main)
    groups = {name: groups[name] for name in sorted(groups, key=lambda name: name != group)}
    sample = groups.get(group, results)
    column = _column(results, config, groups)
    context = {
        **_top(results, sample, group, config, groups, column),
        **(_exhibits(results, sample, group, config, groups, column) if len(results) else {}),
        **_ledger(results, sample, config),
        **_methods(results, config),
        "words": words(),
        "name": name,
        "used": len(results),
        "total": len(results.events),
        "main": wording.window_text(config.main),
        "provenance": _provenance(results, config, provenance),
    }
    css = _css(context.get("events"))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    page = _environment().get_template("report.html.j2")
    return page.render(context, css=Markup(css), style_hash=digest) + "\n"  # noqa: S704


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = _emphasised
    return environment


def _emphasised(sentence: wording.Sentence) -> Markup:
    parts = (
        f"<strong>{html.escape(t)}</strong>" if strong else html.escape(t) for t, strong in sentence.parts
    )
    unbroken = re.sub(r"(exact )?\S+ p (=|&lt;) [\d.]+", r'<span class="nw">\g<0></span>', "".join(parts))
    return Markup(unbroken)  # noqa: S704


def _top(
    results: EventStudyResults,
    sample: EventStudyResults,
    group: str,
    config: StudyConfig,
    groups: Mapping[str, EventStudyResults],
    column: str,
) -> dict[str, Any]:
    """Return answer, key figures, set-up line and warnings."""
    others = [
        wording.brief(part, config.main, subject=wording.subject_of(other, column))
        for other, part in list(groups.items())[1:SHOWN_PANELS]
    ]
    pooled = wording.brief(results, config.main, subject="announcements together") if others else None
    return {
        "answer": wording.answer(sample, config.main, subject=wording.subject_of(group, column)),
        "asides": wording.asides(sample, config.main),
        "others": others,
        "pooled": pooled,
        "keys": list(_keys(sample, group, config.main)),
        "setup": _setup(results, config),
        "warnings": wording.limitations(results, config.main, sample=sample),
    }


def _keys(sample: EventStudyResults, group: str, window: Window) -> Iterator[tuple[str, str, str]]:
    """Yield label, value and remark of each key figure."""
    test = sample.test(sample.recommended, window)
    if len(sample) == 0 or test.n_events == 0:
        return
    found, crowd = interval(sample, window), crowding(sample, window)
    tested = not test.reason
    which = wording.window_text(window)
    several = test.n_events > 1
    ci = f"95% CI {wording.span(found.low, found.high)}" if tested else "no interval: not tested"
    label = f"{'Mean CAR' if several else 'CAR'} over {which}"
    if words().what:
        label = f"Abnormal {words().what}, {which}"
    yield label, wording.percent(found.estimate), ci
    label = STATISTICS[test.name].label
    value = f"{test.distribution}{NBSP}={NBSP}{wording.signed(test.statistic)}"
    detail = f"{label}, {value}" if tested else wording.reason_text(test.reason)
    yield "Recommended test", wording.p_is(test.pvalue) if tested else "not tested", detail
    if several:
        yield _moved(sample, window)
    dates = f"on {wording.count(crowd.dates, 'date')}"
    kind = f"{wording.clipped(group, 24)} events" if group else "events" if several else "event"
    yield f"{kind} used".capitalize(), f"{test.n_events:,} of {len(sample.events):,}", dates
    if tested:
        least = wording.percent(wording.detectable(found.se), sign=False)
        yield "Smallest detectable effect", least, "80% power, 5% level"


def _moved(sample: EventStudyResults, window: Window) -> tuple[str, str, str]:
    """Return how many shares moved in the direction of the mean, and how many would on quiet days."""
    valid = sample.abnormal.sample(window)
    car = valid.car(window)
    fell = bool(car.mean() < 0)
    moved = int(((car < 0) if fell else (car > 0)).sum())
    sums = _sums(valid.resid, len(window))
    counted = np.isfinite(sums).sum(axis=1)
    if not counted.size or (counted == 0).any():
        remark = f"median CAR {wording.percent(float(np.median(car)))}"
    else:
        rate = ((sums < 0) if fell else (sums > 0)).sum(axis=1) / counted
        remark = f"{rate.sum():.1f} expected on quiet days"
    return words().below if fell else words().above, f"{moved:,} of {len(car):,}", remark


def _sums(resid: np.ndarray[Any, Any], length: int) -> np.ndarray[Any, Any]:
    """Sums of `length` consecutive residuals, shape (n, at most L1)."""
    if length > resid.shape[1]:
        return np.empty((len(resid), 0))
    windows = np.lib.stride_tricks.sliding_window_view(resid, length, axis=1)
    return np.asarray(windows.sum(axis=2))


def _setup(results: EventStudyResults, config: StudyConfig) -> str:
    model = results.model.label[:1].upper() + results.model.label[1:]
    windows = results.abnormal.windows
    estimation, event = (wording.window_text(w) for w in (windows.estimation, windows.event))
    used = results.events[results.ok]
    indices = list(dict.fromkeys(str(b) for b in used["benchmark"])) if results.model.factors else []
    on = (
        f" on {wording.listed(indices)}"
        if 0 < len(indices) <= 4
        else f" on {len(indices)} indices"
        if indices
        else ""
    )
    parts = [
        model + on,
        f"estimation {estimation}, event window {event}",
        words().what or f"{windows.kind} returns",
        f"{len(results):,} of {wording.count(len(results.events), 'announcement')}",
    ]
    if len(results):
        firms = used["ticker"].nunique()
        parts[-1] += f", {wording.count(firms, 'firm')}, {sections.period(results)}"
        dates = (
            "the first session that could react" if config.calendar == "exchange" else "the first day of data"
        )
        parts.append(f"day 0 is {dates}")
    return " · ".join(parts) + "."


def _exhibits(
    results: EventStudyResults,
    sample: EventStudyResults,
    group: str,
    config: StudyConfig,
    groups: Mapping[str, EventStudyResults],
    column: str,
) -> dict[str, Any]:
    """Return path, tests, events and groups."""
    main, names = config.main, config.tests or None
    path = plots.path_of(sample)
    several, start = len(groups) > 1, wording.day(int(path.days[0]))
    average = "AR" if len(sample) == 1 else "AAR"
    subject = wording.subject_of(group, column)
    tables = {
        wording.clipped(g, 60): sections.significance_grid(part, config.tested, main, names)
        for g, part in groups.items()
    }
    rows, lede = sections.group_rows(groups, main) if several else ([], "")
    return {
        "path": {
            "lede": sections.path_lede(sample, config.tested, path),
            "caption": f"{_what(sample, subject)} from day {start}, and {average} of each day",
            "wide": _path_svg(path, sample, subject, main, plots.WIDE),
            "narrow": _path_svg(path, sample, subject, main, plots.NARROW),
            "values": sections.path_values(path),
            "note": " ".join(filter(None, (_band_note(sample), sections.path_note(path, len(sample))))),
        },
        "tests": tables.pop(wording.clipped(group, 60))
        if groups
        else sections.significance_grid(sample, config.tested, main, names),
        "tests_caption": subject[:1].upper() + subject[1:],
        "tests_lede": _tests_lede(sample, config),
        "events": sections.event_table(results, main, groups, column),
        "groups": {
            "rows": rows,
            "lede": lede,
            "panels": _panels(groups, path, main),
            "tests": tables,
            "note": _panels_note(groups, main) if several else "",
        },
        "several_groups": several,
        "single": len(sample) == 1,
    }


def _what(sample: EventStudyResults, subject: str) -> str:
    n = len(sample)
    return f"CAR of {sections.event_name(_first(sample))}" if n == 1 else f"CAAR of {n:,} {subject}"


def _first(sample: EventStudyResults) -> dict[str, Any]:
    return {str(k): v for k, v in sample.events[sample.ok].iloc[0].items()}


def _path_svg(
    path: plots.Path95, sample: EventStudyResults, subject: str, main: Window, width: int
) -> Markup:
    figure = plots.path_figure(path, main, n_events=len(sample), width=width)
    desc = (
        f"Line with 95% band from day {wording.day(int(path.days[0]))} to {wording.day(int(path.days[-1]))}, "
        f"ending at {wording.percent(path.end)}; bars of each day below. "
        "The values are listed after it."
    )
    size = "wide" if width == plots.WIDE else "narrow"
    title = f"{_what(sample, subject)}, {size} figure"
    return Markup(plots.svg(figure, title, desc, css_class=size))  # noqa: S704


def _panels(
    groups: Mapping[str, EventStudyResults], first: plots.Path95, main: Window
) -> list[tuple[str, Markup]]:
    """Return the captions and figures of the first groups, on one scale."""
    if len(groups) < 2:
        return []
    shown = list(groups.items())[:SHOWN_PANELS]
    drawn = {name: first if i == 0 else plots.path_of(part) for i, (name, part) in enumerate(shown)}
    paths = {name: path.beside_others() for name, path in drawn.items()}
    limits = plots.shared_limits(paths)
    out = []
    for i, (name, _) in enumerate(shown):
        figure = plots.group_figure(paths[name], main, limits, group=i)
        caption = f"{wording.clipped(name, 60)}, {sections.events_between(paths[name])}"
        end = wording.percent(paths[name].end)
        desc = f"CAAR path ending at {end}, on the scale of its neighbours."
        picture = plots.svg(figure, f"CAAR of {caption}, panel {i + 1}", desc, css_class="half")
        out.append((caption, Markup(picture)))  # noqa: S704
    return out


def _panels_note(groups: Mapping[str, EventStudyResults], window: Window) -> str:
    """Say what the panels show, where they have no band, and which groups have no panel."""
    left = len(groups) - SHOWN_PANELS
    more = f" {wording.count(left, 'more group')} in the table." if left > 0 else ""
    return (
        f"CAAR in {words().axis} with its pointwise 95% band, same scale in all panels; "
        f"{wording.window_text(window)} shaded. "
        f"No band where fewer than {plots.BAND_EVENTS} events enter.{more}"
    )


def _band_note(sample: EventStudyResults) -> str:
    if len(sample) == 1:
        return "The band is the exact 95% interval of the CAR up to each day, not of the whole path at once."
    first = sample.abnormal.event.start
    widened = interval(sample, Window(first, first))
    how = (
        "from the spread across events, corrected for their correlation as in BMP-KP"
        if widened.corrected
        else "from the spread across events, which takes them as independent"
    )
    return f"Bands are pointwise 95% intervals of the mean, {how}. They do not cover the whole path at once."


def _tests_lede(sample: EventStudyResults, config: StudyConfig) -> str:
    label = STATISTICS[sample.recommended].label
    reason = (
        "one event has no spread across events to test with"
        if len(sample) == 1
        else wording.listed([*hazards(sample, config.tested), "it allows the events to add variance"])
    )
    chosen = "was set before the run" if config.windows else "is the default, chosen before the run"
    return (
        f"Read the first row of p-values: {label} is recommended because {reason}. "
        f"The main window {wording.window_text(config.main)} {chosen}; "
        "the other windows are for context and are not corrected for multiple looks."
    )


def _column(results: EventStudyResults, config: StudyConfig, groups: Mapping[str, EventStudyResults]) -> str:
    """Return the column that the groups come from, "" if the events file does not show it."""
    if not groups:
        return ""
    candidates = [config.by] if config.by not in ("", "none") else ["group", "direction"]
    for column in candidates:
        if column in results.events:
            values = {str(v) or "(blank)" for v in results.events.loc[results.ok, column]}
            if set(groups) <= values:
                return column
    return ""


def _ledger(results: EventStudyResults, sample: EventStudyResults, config: StudyConfig) -> dict[str, Any]:
    total, used = len(results.events), len(results)
    lost = f"{total - used:,} dropped, each with its reason" if total > used else "none dropped"
    return {
        "dropped": sections.dropped(results),
        "open_list": OPEN_LIST,
        "flagged": sections.flagged(sample, config.main) if len(sample) > 1 else [],
        "ledger_lede": f"{wording.count(total, 'announcement')} read: {used:,} used, {lost}.",
    }


def _methods(results: EventStudyResults, config: StudyConfig) -> dict[str, Any]:
    chosen = dict.fromkeys([results.recommended, *(config.tests or results.default_tests)])
    tests = [STATISTICS[name] for name in chosen]
    windows = results.abnormal.windows
    nobs = results.events.loc[results.ok, "nobs"]
    days = (
        "" if nobs.empty else f"{nobs.min()}" if nobs.min() == nobs.max() else f"{nobs.min()} to {nobs.max()}"
    )
    sources = [
        results.model.source,
        *(t.source for t in tests),
        "Salinger (1992); Mikkelson and Partch (1988)",
        words().source,
    ]
    return {
        "model": results.model,
        "formula": formula(results.model.formula.replace("R_", f"{words().symbol}_")),
        "variance": wording.variance_of_car(results.model),
        "method_tests": tests,
        "kp_used": any(t.name == "bmp_kp" for t in tests),
        "estimation": wording.window_text(windows.estimation),
        "event": wording.window_text(windows.event),
        "length": len(windows.estimation),
        "days": days,
        "kind": words().what or f"{windows.kind} returns",
        "measure_formula": formula(words().formula),
        "tested": wording.listed(wording.window_text(w) for w in config.tested),
        "references": references(sources),
        "recommended": STATISTICS[results.recommended],
    }


def formula(text: str) -> Markup:
    """Set a formula such as ``E[R_it] = alpha_i + beta_i R_mt`` with Greek letters and subscripts."""
    text = wording.parameter_letter(text).replace("sum_", "Σ_").replace("sum ", "Σ ").replace(">=", "≥")

    def with_index(found: re.Match[str]) -> str:
        letter, power, index = found.groups()
        base = letter if letter == "Σ" else f"<i>{letter}</i>"
        return f"{base}{'<sup>2</sup>' if power else ''}<sub>{index.replace('-', '−')}</sub>"

    index = r"(\w+(?:\(\w\))?(?:,\w+)?(?:[+-][1j]\b)?)"
    return Markup(re.sub(r"([^\W\d_]+)(\^2)?_" + index, with_index, html.escape(text)))  # noqa: S704


def _provenance(results: EventStudyResults, config: StudyConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    prices = given.get("prices") or {}
    keys = ("source", "detail", "first", "last", "rows", "currency", "note")
    rows = [
        (symbol, *(wording.clipped(entry.get(k, "")) or wording.MISSING for k in keys))
        for symbol, entry in sorted(prices.items())
    ]
    sources: dict[str, int] = {}
    for row in rows:
        sources[row[1]] = sources.get(row[1], 0) + 1
    return {
        "command": given.get("command") or "",
        "source": given.get("events_source") or "",
        "sha256": given.get("events_sha256") or "",
        "versions": [f"{k} {v}" for k, v in (given.get("versions") or {}).items()],
        "rows": rows,
        "sources": wording.listed(f"{s} ({n})" for s, n in sources.items()) if sources else "",
        "settings": _settings(config),
    }


def _settings(config: StudyConfig) -> str:
    """Return the settings that are not empty, as the study file has them."""
    named = {**config.to_dict(), "model": config.normal_model}
    plain = {k: ", ".join(v) if isinstance(v, list) else str(v) for k, v in named.items()}
    return "; ".join(f"{name} {value}" for name, value in plain.items() if value)


def _css(events: sections.EventTable | None) -> str:
    """Return the style sheet, with the grid of the events table at the ticks of its axis."""
    text = (TEMPLATES / "report.css").read_text(encoding="utf-8").strip()
    if events is None:
        return text
    colors = ("--grid", "--muted", "--grid")
    lines = ",".join(f"linear-gradient(var({c}),var({c}))" for c in colors)
    places = ",".join(f"{place} 0" for place, _ in events.ticks)
    return f"{text}\ntd.fx{{background-image:{lines};background-position:{places}}}"
