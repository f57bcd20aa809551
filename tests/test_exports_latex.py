"""LaTeX: nothing in a cell is a command, the numbers are those of the tables, and TeX takes the
files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Market, short_histories
from exported import CONFIG, hostile_market, markdown_tables, read_csv
from hypothesis import given
from hypothesis import strategies as st
from pages import MAIN, findings, with_columns

from eventstudy.analysis import Interval
from eventstudy.calendars import Window
from eventstudy.errors import ConfigError
from eventstudy.findings import Findings
from eventstudy.findings.finished_run import read_findings
from eventstudy.findings.types import WindowFinding
from eventstudy.report.formats.latex import escaped, latex_table, latex_tables
from eventstudy.report.formats.pages import markdown
from eventstudy.report.sentences.caveats import write_short_note
from eventstudy.report.tables.checks import list_checks
from eventstudy.report.tables.methods import say_shifted
from eventstudy.runs import write_run
from eventstudy.settings import StudyConfig
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudyResults

STARS = r"(?:\\rlap\{\\sym\{(\*+)\}\})?"
READ = {
    r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~",
    r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|", "''": '"', r"\textquotesingle{}": "'",
    r"\textasciigrave{}": "`", r"\allowbreak{}": "", r"\{": "{", r"\}": "}", r"\%": "%", r"\&": "&",
    r"\#": "#", r"\$": "$", r"\_": "_", "{[}": "[", "{]}": "]", "{}": "",
}  # fmt: skip
# A default article: letters of 10 pt, lines of 345 pt.
PREAMBLE = r"""\documentclass{article}
%s
\usepackage{booktabs,array,longtable}
\begin{document}
%s
\end{document}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(hostile_market(), tmp_path_factory.mktemp("runs"), "host_ile 1", config=CONFIG)


def plain(text: str) -> str:
    """Read TeX that is nothing but text; any other command, brace or special letter is an error."""
    out, rest = "", text
    while rest:
        known = next((t for t in READ if rest.startswith(t)), "")
        assert known or rest[0] not in r"\{}$&#^_%~", rest[:20]
        out += READ[known] if known else rest[0]
        rest = rest[len(known or rest[0]) :]
    return out


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_what_is_escaped_reads_back(text: str) -> None:
    assert plain(escaped(text)) == " ".join(text.split())


@given(st.text(max_size=60))
def test_no_character_gives_a_command(text: str) -> None:
    shown = re.sub(
        r"\$(-|\\times|\\geq|\\leq|\^2|\\alpha|\\beta|\\gamma|\\sigma|\\mu|\\Sigma)\$",
        "",
        escaped(text),
    )
    plain(shown.replace(r"\ldots{}", "").replace("~", ""))


def value(cell: str) -> tuple[float, str]:
    """Return the number and the stars of a cell."""
    found = re.fullmatch(r"\$(-?[\d.]+)\$" + STARS, cell)
    return (float(found[1]), found[2] or "") if found else (np.nan, "")


def stars(p: float) -> str:
    return "***" if p < 0.01 else "**" if p < 0.05 else "*" if p < 0.1 else ""


def rows_of(text: str) -> dict[str, list[list[str]]]:
    """Return the lines of cells of each panel of the table of windows, by its title."""
    panels: dict[str, list[list[str]]] = {}
    for line in text.partition(r"\bottomrule")[0].splitlines():
        if title := re.search(r".*\\textit\{(.*)\} \(\$N=", line):
            panels[title[1]] = []
        elif panels and " & " in line:
            rows = panels[list(panels)[-1]]
            cells = line.removesuffix(r" \\").split(" & ")
            if rows and any(cell.endswith(",}") for cell in rows[-1]):
                # The second line of intervals.
                rows[-1] = [low + high for low, high in zip(rows[-1], cells, strict=True)]
            else:
                rows.append(cells)
    return panels


@pytest.mark.slow
def test_windows_are_those_of_the_tables(folder: Path) -> None:
    text = (folder / "tables/caar.tex").read_text(encoding="utf-8")
    samples, panels = read_findings(folder).samples, rows_of(text)
    assert len(panels) == len(samples) == 3
    for rows, sample in zip(panels.values(), samples, strict=True):
        estimates, statistics, intervals, means, their_t = (row[1:] for row in rows[:5])
        for k, found in enumerate(sample.windows):
            answer, test = found.answer, found.test(found.answer.test)
            assert test is not None
            effect, mean = answer.effect, answer.plain_average
            shown = pytest.approx(100 * effect.estimate, abs=0.0051)
            assert value(estimates[k]) == (shown, stars(answer.pvalue))
            assert value(statistics[k].strip("()"))[0] == pytest.approx(test.statistic, abs=0.0051)
            ends = [float(end) for end in re.findall(r"\$(-?[\d.]+)\$", intervals[k])]
            assert ends == pytest.approx([100 * effect.ci_low, 100 * effect.ci_high], abs=0.0051)
            assert value(means[k]) == (pytest.approx(100 * mean.estimate, abs=0.0051), "")
            t = pytest.approx(mean.estimate / mean.se, abs=0.0051)
            assert value(their_t[k].strip("()"))[0] == t


def test_chosen_windows_and_tests_have_their_place(folder: Path) -> None:
    findings = read_findings(folder)
    windows = (Window(0, 1), Window(0, 0))
    text = latex_tables(findings, windows, ("corrado", "bmp"))["caar"]
    for rows, sample in zip(rows_of(text).values(), findings.samples, strict=True):
        named = {row[0]: row[1:] for row in rows if row[0]}
        for name in ("corrado", "bmp"):
            for cell, window in zip(named[STATISTICS[name].label], windows, strict=True):
                test = next(w for w in sample.windows if w.window == window).test(name)
                assert test is not None
                assert value(cell.strip("()"))[0] == pytest.approx(test.statistic, abs=0.0051)
    with pytest.raises(ConfigError, match="no such window"):
        latex_tables(findings, [Window(2, 3)])


def test_events_are_those_of_the_tables(folder: Path) -> None:
    text = (folder / "tables/events.tex").read_text(encoding="utf-8")
    lines = [
        line.removesuffix(r" \\")
        for line in text.splitlines()
        if re.match(r"\d{4}-\d\d-\d\d &", line)
    ]
    rows = [re.split(r"(?<!\\) & ", line) for line in lines]
    car = (
        read_csv(folder, "car")
        .query("start == 0 and stop == 1")
        .sort_values("car", na_position="last")
    )
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    judged = {
        event["cells"]["event_id"]: over
        for event in document["events"]
        for over in event["cars"]
        if over["window"] == [0, 1]
    }
    columns = ["event_id", "car", "se", "statistic", "variance_multiple"]
    for row, (name, own, se, t, multiple) in zip(rows, car[columns].to_numpy(), strict=True):
        # The t of the main test: never larger than the textbook's in the table.
        decisive = judged[name]
        shown = decisive["statistic"] if decisive["statistic"] is not None else np.nan
        p = decisive["pvalue"] if decisive["pvalue"] is not None else np.nan
        assert not abs(shown) > abs(t) + 1e-12
        assert value(row[3]) == (pytest.approx(100 * own, abs=0.0051, nan_ok=True), stars(p))
        # The error beside this t is the one of this t.
        error = abs(own / shown) if shown else se
        # In closed form: the textbook's error, times the root of how much more these days vary.
        assert error == pytest.approx(se * multiple**0.5, rel=1e-9, nan_ok=True)
        assert float(row[4]) == pytest.approx(100 * error, abs=0.0051, nan_ok=True)
        assert value(row[5])[0] == pytest.approx(shown, abs=0.0051, nan_ok=True)


def test_checks_are_those_of_the_page_and_windows_have_their_adjusted_p(folder: Path) -> None:
    findings = read_findings(folder)
    text = (folder / "tables/robustness.tex").read_text(encoding="utf-8")
    checks, windows = text.split(r"\bottomrule")[:2]
    cells = [line.removesuffix(r" \\").split(" & ") for line in checks.splitlines()]
    rows = [row for row in cells if len(row) == 5][1:]
    wanted = list_checks(findings)
    assert len(wanted) == len(rows) > 8
    for (name, n, effect, interval, p), check in zip(rows, wanted, strict=True):
        assert name == escaped(check.name)
        assert (int(n), p) == (check.n_events, escaped(check.p_text))
        ends = [100 * check.effect.ci_low, 100 * check.effect.ci_high]
        shown = [float(end) for end in re.findall(r"\$(-?[\d.]+)\$", interval)]
        known = [pytest.approx(end, abs=0.0051) for end in ends if np.isfinite(end)]
        assert shown == known
        estimate = pytest.approx(100 * check.effect.estimate, abs=0.0051, nan_ok=True)
        assert value(effect) == (estimate, "")
    table = read_csv(folder, "families_by_group").query("family == 'windows'")
    table = table[table["direction"] == findings.sample.group]
    rows = [line.removesuffix(r" \\").split(" & ") for line in windows.splitlines()]
    rows = [row for row in rows if row[0].startswith("$[")]
    heads = next(line for line in windows.splitlines() if line.startswith("Window & "))
    names = {"Holm": "holm", "BH": "bh", "BY": "by", "Romano-Wolf": "romano_wolf"}
    methods = [names[head] for head in heads.removesuffix(r" \\").split(" & ")[4:]]
    assert "holm" in methods
    assert [row[0].strip("$") for row in rows] == table["label"].tolist()
    for row, record in zip(rows, table.to_dict("records"), strict=True):
        known = [record[name] for name in ("pvalue", *methods)]
        assert [float(p) for p in row[3:]] == [pytest.approx(p, abs=5.1e-4) for p in known]


def test_regression_is_that_of_the_table(folder: Path) -> None:
    text = (folder / "tables/regression.tex").read_text(encoding="utf-8")
    marked = r"& \$(-?[\d.]+)\$(?:\\sym\{(\*+)\})? & .*\n.* & \(([\d.]+)\)"
    found = re.findall(marked, text)
    table = read_csv(folder, "regression")
    table = table.iloc[[*range(1, len(table)), 0]]
    assert [(float(a), float(b)) for a, _, b in found] == [
        (pytest.approx(100 * step * e, abs=5.1e-3), pytest.approx(100 * step * s, abs=5.1e-3))
        for step, e, s in table[["step", "estimate", "se"]].to_numpy()
    ]
    assert [mark for _, mark, _ in found] == [stars(p) for p in table["pvalue"]]


def test_tables_say_what_a_reader_needs(folder: Path) -> None:
    text = (folder / "tables/caar.tex").read_text(encoding="utf-8")
    for part in (
        r"\toprule", r"\midrule", r"\bottomrule", r"\label{tab:host-ile-1-caar}", r"\caption{",
        "23 of 24 announcements are used", "from a market model on MKT",
        "estimated over trading days $[-120,-11]$", r"\sym{***} $p<0.01$",
        "Kolari and Pynnonen (2010)", r"\textit{Panel C.} \textit{All announcements}",
        "Stars are those of the main test alone",
    ):  # fmt: skip
        assert part in text
    assert "XeLaTeX" not in text
    assert "XeLaTeX" in (folder / "tables/events.tex").read_text(encoding="utf-8")


@pytest.mark.slow
def test_many_groups_stay_on_a_page() -> None:
    market = Market()
    market.table["direction"] = list("abcdef") * 2
    text = market.fit().to_latex(config=CONFIG.with_options({"regress": []}))
    assert len(rows_of(text)) == 4
    assert r"3 more groups in tests\_by\_group.csv" in text


def compiled(text: str, engine: str, tmp_path: Path) -> str:
    """Compile and return the log."""
    if not shutil.which(engine):
        pytest.skip(f"{engine} is not installed")
    (tmp_path / "doc.tex").write_text(text, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "doc.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-2000:]
    return log


def test_tables_compile_with_hostile_cells(folder: Path, tmp_path: Path) -> None:
    parts = [
        (folder / f"tables/{n}.tex").read_text(encoding="utf-8")
        for n in ("caar", "robustness", "events", "regression")
    ]
    log = compiled(PREAMBLE % (r"\usepackage{fontspec}", "\n".join(parts)), "xelatex", tmp_path)
    assert "Overfull" not in log
    assert "passwd" not in "".join(re.findall(r"\(([^()\s]+)", log)), "no file of a cell was read"


@pytest.mark.parametrize("n_windows", [0, 1, 3, 6])
def test_windows_tests_and_long_names_fit_a_default_article(
    folder: Path, n_windows: int, tmp_path: Path
) -> None:
    findings = read_findings(folder)
    tested = findings.setup.tested
    assert len(tested) == 5
    windows = [*tested, Window(0, 0)][:n_windows]
    every = [test.test for test in findings.sample.main.tests]
    assert len(every) > 25
    tables = [latex_tables(findings, windows, every)["caar"]]
    longest = "Announcements " + "of a long name " * 8
    tables += latex_tables(with_long_names(findings, longest), windows).values()
    body = "\n".join(tables).replace(r"\begin{table}", r"\clearpage\begin{table}")
    log = compiled(PREAMBLE % (r"\usepackage{fontspec}", body), "xelatex", tmp_path)
    assert "Overfull" not in log
    assert "too large" not in log


def test_rows_of_other_events_say_their_number_and_the_note_where_the_others_are() -> None:
    """Of twelve announcements one has no price on day 0, and two have a short history."""
    fitted = short_histories(lacking=1)
    study = findings(with_columns(fitted, flags=["halt_shifted"] * 3 + [""] * 9), halt="shift")
    text = latex_tables(study, [MAIN, Window(0, 0)], ["corrado", "bmp"])["caar"]
    (rows,) = rows_of(text).values()
    assert r"($N=9$, " in text
    at = {row[0]: k for k, row in enumerate(rows) if row[0]}
    for name, lines in (("Plain average", 2), (STATISTICS["corrado"].label, 1)):
        assert rows[at[name] + lines] == [r"\quad $N$", "11", "11"]
    of_bmp = at[STATISTICS["bmp"].label]
    assert all(row[0] != r"\quad $N$" for row in rows[of_bmp : of_bmp + 2]), "of nine as well"
    note = " ".join(text.partition("Notes.")[2].split())
    counted = "12 announcements listed, 12 used, 11 with a CAR over {[}0, 1{]}, 9 in the precision"
    assert counted in note
    assert escaped(write_short_note(study.sample)) in note
    assert "is in the plain average only" not in note
    assert "are in the plain average only" in note
    assert "An indented $N$" in note
    assert "Without a CAR over $[0,1]$: F11" in note
    assert escaped(say_shifted(study)) in note
    assert "(3 events)" in say_shifted(study)
    events = latex_table(study, "events")
    assert escaped(write_short_note(study.sample)) in events


def test_dropped_announcements_are_in_the_notes(folder: Path) -> None:
    (reason, n), *_ = read_findings(folder).dropped
    for name in ("caar", "events"):
        text = (folder / f"tables/{name}.tex").read_text(encoding="utf-8")
        assert f"Dropped: {escaped(reason.head)} ({n})." in text


def test_the_committed_tables_join_their_reasons_and_equal_counts() -> None:
    tables = ROOT / "reports" / "sanctions-sample" / "tables"
    notes = " ".join((tables / "caar.tex").read_text(encoding="utf-8").split())
    assert "Dropped: no price data (153); no price data on day 0 (7)." in notes
    assert "Panel A: 188 announcements listed, 54 used." in notes


def with_long_names(findings: Findings, name: str) -> Findings:
    """Return findings whose groups, events and columns have long names, and large effects."""
    effect = Interval(-12.34, 1.2, -23.45, -1.23)

    def large(found: WindowFinding) -> WindowFinding:
        influence = found.answer.influence
        if influence is not None:
            named = tuple(replace(row, firm=name) for row in influence.leave_outs)
            influence = replace(influence, leave_outs=named)
        return replace(found, answer=replace(found.answer, effect=effect, influence=influence))

    first = findings.groups[0]
    group = replace(first, group=name, windows=tuple(map(large, first.windows)))
    events = tuple(
        replace(event, cells={**event.cells, "company": name, "direction": name.upper()})
        for event in findings.events
    )
    samples = (group, *findings.samples[1:])
    return replace(findings, samples=samples, events=events)


def test_a_regression_with_many_classes_goes_on_over_pages(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    sectors = [f"branch of trade {k:02d}" for k in rng.permutation(np.arange(64) % 16)]
    fitted = Market(64, dates=32).fit(engine="batch")
    study = with_columns(fitted, sector=sectors, land=rng.choice(["A", "B"], 64))
    fits = study.explain(["C(sector)", "C(land)", "C(sector) + C(land)"])
    log = compiled(PREAMBLE % ("", fits.to_latex()), "pdflatex", tmp_path)
    assert "Overfull" not in log
    assert "too large" not in log
    assert "(1 page" not in log


def test_stars_reach_no_other_number(folder: Path) -> None:
    text = (folder / "tables/caar.tex").read_text(encoding="utf-8")
    found = re.search(r"w\{c\}\{([\d.]+)pt\}", text)
    assert found is not None
    numbers = [
        len(digits) for digits, mark in re.findall(r"\$(-?[\d.]+)\$\\rlap\{\\sym\{(\*+)", text)
    ]
    # A digit of 8 pt has 4.25 points, three stars about ten.
    assert float(found[1]) + 4 >= 4.25 * max(numbers) + 10


@pytest.mark.slow
def test_latin_cells_compile_with_pdflatex(tmp_path: Path) -> None:
    market = Market()
    names = [
        "Älpha & Söhne",
        r"\input{x}",
        "50% #1 $x$ _ ^ ~ {}",
        "Łódź",
        "Peña",
        "a--b---c",
        "‘q’ “r”",
        "[0]",
    ]
    market.table["company"] = [*names, *"abcd"]
    results = market.fit()
    texts = "\n".join(results.to_latex(table) for table in ("caar", "robustness", "events"))
    assert "XeLaTeX" not in texts
    log = compiled(PREAMBLE % (r"\usepackage[T1]{fontenc}", texts), "pdflatex", tmp_path)
    assert "Overfull" not in log
    if shutil.which("pdftotext"):
        shown = subprocess.run(
            ["pdftotext", "-layout", "doc.pdf", "-"], cwd=tmp_path, capture_output=True, check=True
        ).stdout.decode()
        for name in (r"\input{x}", "50% #1 $x$ _ ^ ~ {}", "a--b---c", "[0]"):
            assert name in shown


@pytest.mark.slow
def test_a_group_of_one_event_has_its_own_test() -> None:
    """No test of a sample speaks of one event: its exact t stands in text and LaTeX with its
    stars."""
    market = Market(9, dates=9, effect=-0.05)
    market.table["direction"] = ["adverse"] * 8 + ["relief"]
    results = market.fit()
    findings = results.findings(config=CONFIG.with_options({"regress": []}))
    relief = findings.groups[1]
    assert (relief.group, relief.n_used) == ("relief", 1)
    panel = rows_of(latex_table(findings, "caar"))["Relief announcements"]
    alone = results.groups("direction")["relief"]
    assert [row[0] for row in panel] == ["Cumulative", "", ""], "one event has no plain average"
    for cell, found in zip(panel[1][1:], relief.windows, strict=True):
        test = alone.test("event_t_regime", found.window)
        assert value(cell.strip("()"))[0] == pytest.approx(test.statistic, abs=0.0051)


def blank_and_halted() -> tuple[EventStudyResults, StudyConfig]:
    """Return a study with an event of no direction, and one that lacks days of the main window."""
    market = Market(9, dates=9, effect=-0.05)
    market.table["direction"] = ["", *["adverse"] * 5, *["relief"] * 3]
    at = market.frame.index.get_loc(market.table["day0"][3])
    frame = market.frame.assign(F03=market.frame["F03"].mask(np.arange(200) == at))
    return market.fit(frame), CONFIG.with_options({"regress": ["direction"]})


@pytest.mark.parametrize("model", ["market", "market_adjusted"])
def test_the_note_of_events_and_the_dashes_of_one_without_days(model: str) -> None:
    market = Market(4, dates=4)
    at = market.frame.index.get_loc(market.table["day0"][3])
    frame = market.frame.assign(F03=market.frame["F03"].mask(np.arange(200) == at))
    config = CONFIG.with_options({"model": model, "regress": []})
    text = latex_table(market.fit(frame, model=model).findings(config=config), "events")
    [row] = [line for line in text.splitlines() if "F03 &" in line]
    assert row.endswith(r"& -- & -- & -- \\")
    assert ("parameters are estimated" in text) == (model == "market")


@pytest.mark.slow
def test_a_blank_group_is_a_cell_and_every_row_of_a_table_has_as_many() -> None:
    results, config = blank_and_halted()
    findings = results.findings(config=config)
    found = latex_tables(findings)
    assert set(found) == {"caar", "robustness", "events", "regression"}
    assert sum(" & (blank) & " in line for line in found["events"].splitlines()) == 1
    for name, text in found.items():
        body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
        spread = re.sub(r"\\multicolumn\{3\}", " & & ", body)
        wide = {row.count(" &") for row in spread.split(r"\\") if "&" in row}
        assert len(wide) == 1, name
    tables = markdown_tables(markdown(findings))
    (rows,) = (t for t in tables if t[0][0] == "Company")
    assert {len(row) for row in rows} == {6}


@pytest.mark.slow
def test_notes_of_a_paper_give_no_advice_on_options() -> None:
    results, config = blank_and_halted()
    findings = results.findings(config=config)
    assert all("--halt shift" in remark.reason.remedy for remark in findings.pooled.lacking)
    assert "--halt shift" in markdown(findings)
    for text in latex_tables(findings).values():
        assert any(part in text for part in ("F03", "least squares", "first row is the answer"))
        assert "--" not in re.sub(r"(?m)^%.*|& --|-- \\\\", "", text)
