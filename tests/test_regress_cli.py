"""`run --regress`: what cannot be estimated is a section with a reason; a wrong name is an error of
usage."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from run_folders import QUICK
from test_cli import invoke

HEAD = "event_id,ticker,announced_at,sector,own,flat,kind,mixed,size\n"
ROWS = """a,AAPL,2020-08-06,tech,u,x,p,1,1
b,NVDA,2022-08-31,tech,v,x,q,2x,2
c,AMD,2019-05-15,tech,w,x,p,3,3
d,MSFT,2019-06-20,tech,y,x,q,4,5
e,JPM,2018-03-14,banks,z,x,p,5,1
"""


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(HEAD + ROWS, encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "why", "remedy"),
    [
        (["own"], "5 events cannot determine 5 coefficients (own)", "merge values of a column"),
        pytest.param(
            ["flat"],
            "flat: a column with one value explains nothing (x)",
            "leave the column out",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["size", "announced_at"],
            "5 events cannot determine 6 coefficients",
            "leave one out",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["mixed"],
            "mixes numbers and text (2x)",
            "leave the cell empty",
            marks=pytest.mark.slow,
        ),
        (
            ["kind", "size", "context"],
            "no event is left (5 left out: no value of context)",
            "leave one out",
        ),
    ],
)
def test_what_is_not_possible_is_a_section_with_a_reason(
    columns: list[str], why: str, remedy: str, events: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(events, dtype=str).assign(context="")
    table.to_csv(events, index=False)
    asked = [part for column in columns for part in ("--regress", column)]
    code, out, err = invoke(
        "run",
        events,
        "--prices",
        "sample",
        "--out",
        tmp_path / "r",
        *QUICK,
        "-v",
        *asked,
    )
    assert (code, err) == (0, "")
    folder = tmp_path / "r" / "events"
    page = (folder / "report.html").read_text(encoding="utf-8")
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    columns_of_json = document["tables"]["regression"]
    kept = pd.read_csv(folder / "tables" / "regression.csv")
    for told in (
        " ".join(out.split()), page, (folder / "report.md").read_text(encoding="utf-8").replace("\\", ""),
    ):  # fmt: skip
        said = told.partition(f"CAR on {', '.join(columns)}: not possible: ")[2]
        assert why in said
        assert remedy in said
        assert "cov=" not in said
    (reason,) = columns_of_json["reason"]["values"]
    assert [reason] == kept["reason"].tolist()
    assert why in reason
    assert columns_of_json["estimate"]["values"] == [None]
    assert not (folder / "tables" / "regression.tex").exists()
    for kind in ("xlsx", "parquet", "tex", "md"):
        assert invoke("report", folder, "--format", kind, "--out", tmp_path / "x")[0] == 0


@pytest.mark.slow
def test_what_is_possible_has_no_reason(events: Path, tmp_path: Path) -> None:
    code, out, _ = invoke(
        "run", events, "--prices", "sample", "--out", tmp_path, "--regress", "size", "-v", *QUICK
    )
    assert code == 0
    table = out.partition("CARs on characteristics")[2].splitlines()
    terms = [line.split()[0] for line in table if line.split()[:1] in (["Constant"], ["Size"])]
    assert terms == ["Size", "Constant"]
    kept = pd.read_csv(tmp_path / "events" / "tables" / "regression.csv")
    assert kept["reason"].isna().all()
    assert kept["estimate"].notna().all()


def test_all_columns_that_do_not_exist_are_named_at_once(events: Path, tmp_path: Path) -> None:
    code, out, err = invoke(
        "run", events, "--prices", "sample", "--out", tmp_path / "r",
        "--by", "sectr", "--regress", "size", "--regress", "kin", "--regress", "flt",
    )  # fmt: skip
    assert (code, out) == (2, "")
    assert not (tmp_path / "r").exists()
    for where, name, meant in (
        ("--by", "sectr", "sector"),
        ("--regress", "kin", "kind"),
        ("--regress", "flt", "flat"),
    ):
        assert (
            f"{where}: the events file has no such column, got {name!r}; did you mean {meant!r}?"
            " it has event_id, ticker" in err
        )


def test_a_formula_is_sent_to_explain(events: Path, tmp_path: Path) -> None:
    code, out, err = invoke(
        "run", events, "--prices", "sample", "--out", tmp_path / "r", "--regress",
        "size + C(sector)",
    )  # fmt: skip
    assert (code, out) == (2, "")
    assert "--regress: names of columns are needed, not a formula, got 'size + C(sector)'" in err
    assert "eventstudy explain RUN --on FORMULA" in err
