"""The cases as folders: inputs and numbers of tests/reference, which others computed.

Plain Python without packages. suite.toml says what is where.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import mean, stdev
from typing import Any

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / "tests" / "reference"
SUITE = tomllib.loads((HERE / "suite.toml").read_text(encoding="utf-8"))
TESTS = {name: how for name, how in SUITE["quantities"].items() if "names" in how}
# The files have 12 significant digits.
RELATIVE, ABSOLUTE = 1e-9, 1e-11

Returns = dict[str, dict[str, Any]]


@dataclass
class Case:
    """Inputs of one case, and what others computed of it."""

    events: list[dict[str, str]]
    returns: Returns  # by date, then by name
    estimates: dict[str, dict[str, float]]  # of each event; M and df with them
    cars: dict[str, dict[str, tuple[float, float]]]  # by window and event, with standard errors
    tests: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)


def write_case(name: str, folder: Path) -> list[dict[str, Any]]:
    """Write the folder that a program gets, and return the numbers that are expected."""
    about = SUITE["cases"][name]
    read = read_json if about["file"].endswith(".json") else read_base_r
    case = read(about)
    expected = list(expectations(name, case))
    known = {"name": name, **{key: about[key] for key in ("says", "model", "estimation", "event")}}
    asked = dict.fromkeys(item["name"].split("/")[0] for item in expected)
    write_inputs(folder, known | {"windows": list(case.cars), "asked": list(asked)}, case)
    return expected


def write_inputs(folder: Path, known: dict[str, Any], case: Case) -> None:
    """Write case.json, events.csv and returns.csv."""
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(json.dumps({**known, "market": "MKT"}, indent=1))
    write(folder / "events.csv", ["event_id", "ticker", "date"], case.events)
    firms = sorted({name for row in case.returns.values() for name in row} - {"MKT"})
    days = ({"date": day, **row} for day, row in case.returns.items())
    write(folder / "returns.csv", ["date", "MKT", *firms], days)


def write(path: Path, columns: list[str], table: Iterable[Mapping[str, Any]]) -> None:
    """Write a table; what a row lacks is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(table)


def rows(path: Path) -> list[dict[str, str]]:
    """Read a table, gzipped if it is large."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
    else:
        text = gzip.decompress(path.with_name(path.name + ".gz").read_bytes()).decode()
    return list(csv.DictReader(text.splitlines()))


def length(window: str) -> int:
    """Return the days of a window such as [-1,1]."""
    first, last = json.loads(window)
    return int(last - first + 1)


# --- what is expected ---


def expectations(name: str, case: Case) -> Iterable[dict[str, Any]]:
    """Yield name, value, tolerance and maker of each number, and its value by other conventions."""
    about = SUITE["cases"][name]
    others = other_conventions(case)
    for key, value in values_of(name, case):
        tolerance = RELATIVE * abs(value) + ABSOLUTE
        differ = [(v, why) for v, why in others.get(key, ()) if abs(v - value) > tolerance]
        item = {"name": key, "value": value, "tolerance": tolerance, "computed_by": about["by"]}
        yield item | {"others": [{"value": v, "why": why} for v, why in differ]}


def values_of(name: str, case: Case) -> Iterable[tuple[str, float]]:
    """Yield every number that the files have by the definitions of the suite."""
    for event, estimate in case.estimates.items():
        for quantity in ("alpha", "beta", "sigma"):
            if quantity in estimate:
                yield f"{quantity}/{event}", estimate[quantity]
    for window, cars in case.cars.items():
        for event, (car, error) in cars.items():
            yield f"car/{window}/{event}", car
            yield f"se_car/{window}/{event}", error
    for window, average in case.means.items():
        yield f"caar/{window}", average
        for test, how in TESTS.items():
            left_out = name not in how.get("only", [name]) or (
                test in SUITE["cases"][name].get("without", ())
            )
            if left_out or (how.get("one_day") and length(window) > 1):
                continue
            for statistic, _ in found(case, window, how["names"]):
                yield f"{test}/{window}", statistic
            for _, p in found(case, window, how.get("p", how["names"])):
                yield f"p.{test}/{window}", p


def found(case: Case, window: str, names: list[str]) -> list[tuple[float, float]]:
    """Return statistic and p-value of a test under the one of its names that the file has."""
    return [case.tests[window][name] for name in names if name in case.tests[window]]


def other_conventions(case: Case) -> dict[str, list[tuple[float, str]]]:
    """Return what programs that follow another convention answer, and which it is."""
    others: dict[str, list[tuple[float, str]]] = defaultdict(list)
    made = SUITE["made"]
    for event, one in case.estimates.items():
        wider = one["sigma"] * math.sqrt(one["df"] / (one["M"] - 1))
        others[f"sigma/{event}"].append((wider, made["sigma"]))
    for window, cars in case.cars.items():
        root = math.sqrt(length(window))
        plain = []
        for event, (car, _) in cars.items():
            error = case.estimates[event]["sigma"] * root
            others[f"se_car/{window}/{event}"].append((error, made["se_car"]))
            plain.append(car / error)
        total = math.sqrt(len(plain))
        others[f"patell/{window}"].append((sum(plain) / total, made["patell"]))
        if len(plain) > 1:
            t = mean(plain) / stdev(plain) * total
            others[f"bmp/{window}"].append((t, made["bmp"]))
    for window in case.means:
        for other in SUITE["others"]:
            for pair in found(case, window, other["names"]):
                value = pair[other["of"].startswith("p.")]
                others[f"{other['of']}/{window}"].append((value, other["why"]))
    return others


# --- the files of tests/reference ---


def read_base_r(about: dict[str, Any]) -> Case:
    """Read a folder of tests/reference/r.

    Base R averages what is there of an event; a window of several days that some events lack in
    part has only the CARs of the others.
    """
    folder = REFERENCE / "r" / about["file"]
    start = f"baseR__{about.get('infix', '')}"
    estimated = {"market": ["alpha", "beta"], "constant_mean": ["alpha"]}
    keys = ["sigma", "df", *estimated.get(about["model"], [])]
    estimates = {}
    for row in rows(folder / f"{start}model.csv"):
        estimates[row["event_id"]] = {key: float(row[key]) for key in keys}
        estimates[row["event_id"]]["M"] = float(row["n_est"])
    cars: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in rows(folder / f"{start}car_by_event.csv"):
        if int(row["n_days"]) == length(row["window"]):
            pair = float(row["car"]), float(row["se_forecast"])
            cars[row["window"]][row["event_id"]] = pair
    returns: Returns = {}
    for row in rows(folder / "inputs" / "market.csv"):
        returns[row["date"]] = {"MKT": row["return"]}
    for row in rows(folder / "inputs" / "firms.csv"):
        if row["date"] in returns:
            returns[row["date"]][row["ticker"]] = row["return"]
    case = Case(rows(folder / "inputs" / "events.csv"), returns, estimates, cars)
    for row in rows(folder / f"{start}window_tests.csv"):
        window = row["window"]
        if int(row["N"]) != len(cars[window]):
            continue
        tests = case.tests.setdefault(window, {})
        tests[row["test"]] = float(row["statistic"]), float(row["p_value"])
        case.means.setdefault(window, mean(car for car, _ in cars[window].values()))
    return case


def read_json(about: dict[str, Any]) -> Case:
    """Read one of the two JSON files."""
    kept = json.loads((REFERENCE / about["file"]).read_text(encoding="utf-8"))
    by_hand = "firms" in kept
    events, returns = inputs_by_hand(kept) if by_hand else large_inputs()
    model = kept["model"] if by_hand else transposed(kept["market_model"])
    first, last = about["estimation"]
    days = last - first + 1
    case = Case(events, returns, {}, {})
    for event, one in zip(events, model, strict=True):
        estimate = {"sigma": math.sqrt(one["s2"]), "M": days, "df": days - 2}
        case.estimates[event["event_id"]] = {**estimate, "alpha": one["alpha"], "beta": one["beta"]}
    for window, numbers in kept["windows"].items():
        aggregate = numbers["aggregate"]
        errors = map(math.sqrt, aggregate["var_CAR"])
        pairs = zip(aggregate["CAR"], errors, strict=True)
        case.cars[window] = dict(zip(case.estimates, pairs, strict=True))
        case.means[window] = aggregate["CAAR"]
        case.tests[window] = {}
        for name, test in numbers["tests"].items():
            case.tests[window][name] = test["stat"], test["p"]
            if "p_exact" in test:
                case.tests[window][f"{name} exact"] = test["stat"], test["p_exact"]
    return case


def transposed(columns: dict[str, list[float]]) -> list[dict[str, float]]:
    """Return the estimates of each event from lists over events."""
    names = ("alpha", "beta", "s2")
    return [
        dict(zip(names, row, strict=True)) for row in zip(*map(columns.get, names), strict=True)
    ]


def inputs_by_hand(kept: dict[str, Any]) -> tuple[list[dict[str, str]], Returns]:
    """Return the worked example's inputs; day -2 is in no window and has zeros."""
    before, after = kept["estimation"], kept["event"]
    names = ["MKT", *kept["firms"]]
    early, late = [before["mkt"], *before["ret"]], [after["mkt"], *after["ret"]]
    series = [[*a, 0.0, *b] for a, b in zip(early, late, strict=True)]
    days = [(date(2024, 1, 1) + timedelta(i)).isoformat() for i in range(len(series[0]))]
    returns = {
        day: dict(zip(names, row, strict=True))
        for day, row in zip(days, zip(*series, strict=True), strict=True)
    }
    numbered = enumerate(kept["firms"], 1)
    return [{"event_id": str(i), "ticker": f, "date": days[-2]} for i, f in numbered], returns


def large_inputs() -> tuple[list[dict[str, str]], Returns]:
    """Return the inputs of the example with eight dates."""
    days: dict[str, str] = {}
    returns: Returns = defaultdict(dict)
    for row in rows(REFERENCE / "large_example_inputs.csv"):
        returns[row["date"]] |= {"MKT": row["mkt"], row["firm"]: row["ret"]}
        days[row["firm"]] = row["event_date"]
    numbered = enumerate(days.items(), 1)
    events = [{"event_id": str(i), "ticker": f, "date": day} for i, (f, day) in numbered]
    return events, dict(sorted(returns.items()))
