"""Put a program that does event studies through cases whose numbers others computed.

    python benchmarks/conformance/run.py --adapter "python benchmarks/conformance/adapters/ours.py"
    python benchmarks/conformance/run.py --write cases
    python benchmarks/conformance/run.py --sizes 500 --adapter "..."

README.md has the form of a case and of an answer, and who computed what. Plain Python without
packages, except for --sizes, which draws its samples by benchmarks/designs.py. The exit code is 1
where a number or a rate disagrees, or none agrees.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import shlex
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cases import SUITE, TESTS, Case, write_case, write_inputs

BENCHMARKS = Path(__file__).parents[1]
AGREE, OTHER, DISAGREE, SILENT = "agree", "other convention", "disagree", "not answered"
VERDICTS = (AGREE, OTHER, DISAGREE, SILENT)
SHOWN = 10
# Samples of a design: seed of benchmarks/sizes.json, samples behind benchmarks/sizes.csv.
SEED, BATCH, PUBLISHED, LEVEL, ERRORS = 20251119, 50, 10_000, 0.05, 4
DESIGNS, DESIGN_WINDOWS = ("D0", "C0"), ("[0,0]", "[-5,5]")


class Judged(NamedTuple):
    """One number of a case, what a program answered, and what becomes of it."""

    case: str
    item: dict[str, Any]
    answer: Any
    verdict: str
    why: str


def main() -> int:
    """Do what the command line asks for."""
    options = _options()
    if options.write:
        for name in SUITE["cases"]:
            expected = write_case(name, options.write / name)
            text = json.dumps(expected, indent=1)
            (options.write / name / "expected.json").write_text(text)
        return 0
    if options.sizes:
        return check_sizes(options.adapter, options.sizes)
    return check_cases(options.adapter, options.cases)


def ask(adapter: str, folders: list[Path]) -> tuple[list[dict[str, Any]], int]:
    """Let a program answer cases; return its answers, empty where there are none, and its exit
    code."""
    command = [*shlex.split(adapter), *map(str, folders)]
    code = subprocess.run(command, check=False).returncode
    if code:
        print(f"The adapter ended with exit code {code}: {adapter}", file=sys.stderr)
    files = [folder / "answers.json" for folder in folders]
    return [json.loads(file.read_text()) if file.exists() else {} for file in files], code


# --- numbers ---


def check_cases(adapter: str, names: list[str]) -> int:
    """Compare the answers to each case, and print what agrees."""
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / name for name in names]
        expected = [write_case(folder.name, folder) for folder in folders]
        answers, code = ask(adapter, folders)
    judged = []
    for name, items, answered in zip(names, expected, answers, strict=True):
        for item in items:
            answer = answered.get(item["name"])
            judged.append(Judged(name, item, answer, *judge(item, answer)))
    print(*table("case", [(one.case, one.verdict) for one in judged]), "", sep="\n")
    numbers = [(quantity(one.item["name"]), one.verdict) for one in judged]
    print(*table("number", numbers), "", sep="\n")
    known = [one for one in judged if one.verdict == OTHER]
    reasons = Counter((one.item["name"].split("/")[0], one.why) for one in known)
    for (what, why), n in sorted(reasons.items()):
        print(f"Other convention, {n} x {what}: {why}")
    given = {name for answered in answers for name in answered}
    strange = sorted(name for name in given if quantity(name) not in SUITE["quantities"])
    if strange:
        print(f"No case asks for {', '.join(strange[:SHOWN])}: see the names in README.md")
    wrong = [one for one in judged if one.verdict == DISAGREE]
    for one in wrong[:SHOWN]:
        right, by = one.item["value"], one.item["computed_by"]
        print(f"Disagrees: {one.case} {one.item['name']} is {right!r} ({by}), not {one.answer!r}")
    if len(wrong) > SHOWN:
        print(f"... and {len(wrong) - SHOWN} more")
    agreeing = any(one.verdict == AGREE for one in judged)
    return int(code != 0 or bool(wrong) or not agreeing)


def quantity(name: str) -> str:
    """Return what a number is of, such as bmp for p.bmp/[0,1]."""
    return name.removeprefix("p.").split("/")[0]


def judge(item: dict[str, Any], answer: Any) -> tuple[str, str]:
    """Return the verdict on an answer, and the convention where it follows another one."""
    if not isinstance(answer, int | float) or not math.isfinite(answer):
        return SILENT, ""
    if abs(answer - item["value"]) <= item["tolerance"]:
        return AGREE, ""
    for other in item["others"]:
        if abs(answer - other["value"]) <= item["tolerance"]:
            return OTHER, other["why"]
    return DISAGREE, ""


def table(title: str, judged: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of a table of verdicts in Markdown."""
    yield f"| {title} | " + " | ".join(VERDICTS) + " |"
    yield "|---|" + "---:|" * len(VERDICTS)
    counts = Counter(judged)
    for name in dict.fromkeys(name for name, _ in judged):
        yield f"| {name} | " + " | ".join(str(counts[name, verdict]) for verdict in VERDICTS) + " |"
    totals = Counter(verdict for _, verdict in judged)
    yield "| all | " + " | ".join(str(totals[verdict]) for verdict in VERDICTS) + " |"


# --- how often a test rejects where nothing happened ---


def check_sizes(adapter: str, samples: int) -> int:
    """Compare the share of samples in which each test rejects with that of another program."""
    counts: Counter[str] = Counter()
    print("| design | window | test | samples | rejected | published | |")
    print("|---|---|---|---:|---:|---:|---|")
    for design in DESIGNS:
        rejected, answered = rejections(adapter, design, samples)
        for (window, test), published in published_rates(design).items():
            n = answered[f"p.{test}/{window}"]
            if n:
                rate = rejected[f"p.{test}/{window}"] / n
                error = math.sqrt(published * (1 - published) * (1 / n + 1 / PUBLISHED))
                verdict = AGREE if abs(rate - published) <= ERRORS * error else DISAGREE
                counts[verdict] += 1
                cells = [design, window, test, n, f"{rate:.1%}", f"{published:.1%}", verdict]
                print("| " + " | ".join(map(str, cells)) + " |")
    return int(counts[DISAGREE] > 0 or counts[AGREE] == 0)


def published_rates(design: str) -> dict[tuple[str, str], float]:
    """Return the rates of an independently written program by window and test."""
    with (BENCHMARKS / "sizes.csv").open(newline="") as file:
        return {
            (row["window"], row["test"]): float(row["low"]) / 100
            for row in csv.DictReader(file)
            if row["design"] == design and row["test"] in TESTS
        }


def rejections(adapter: str, design: str, samples: int) -> tuple[Counter[str], Counter[str]]:
    """Return how often each p-value was below 5%, and how often there was one."""
    rejected: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for first in range(0, samples, BATCH):
        with tempfile.TemporaryDirectory() as place:
            folders = draw(design, range(first, min(first + BATCH, samples)), Path(place))
            found, code = ask(adapter, folders)
            if code:
                raise SystemExit(1)
            for answers in found:
                for name, value in answers.items():
                    answered[name] += math.isfinite(value)
                    rejected[name] += value < LEVEL
    return rejected, answered


def draw(name: str, numbers: range, place: Path) -> list[Path]:
    """Write samples of a design, each with a seed of its own."""
    sys.path.insert(0, str(BENCHMARKS))
    import numpy as np
    from designs import DESIGNS as KNOWN
    from designs import EVENT, simulate

    design = KNOWN[name]
    seeds = np.random.SeedSequence([SEED, zlib.crc32(name.encode())]).spawn(numbers.stop)
    folders = []
    for i in numbers:
        sample = simulate(design, np.random.default_rng(seeds[i]))
        days = [(date(2000, 1, 1) + timedelta(t)).isoformat() for t in range(len(sample.sessions))]
        returns: dict[str, dict[str, Any]] = {day: {} for day in days}
        pairs = zip(sample.positions, sample.factors[:, :, 0], sample.returns, strict=True)
        for e, (at, market, own) in enumerate(pairs):
            for t, m, r in zip(at.tolist(), market.tolist(), own.tolist(), strict=True):
                returns[days[t]] |= {"MKT": m, f"F{e:02d}": r}
        events = [
            {"event_id": str(e + 1), "ticker": f"F{e:02d}", "date": days[t]}
            for e, t in enumerate(sample.day0.tolist())
        ]
        known = {
            "name": f"{name} {i}",
            "says": design.says,
            "model": "market",
            # The days between the windows are not drawn.
            "estimation": [EVENT.start - design.days, EVENT.start - 1],
            "event": [EVENT.start, EVENT.stop],
            "windows": DESIGN_WINDOWS,
            "asked": [f"p.{test}" for test in TESTS],
        }
        folders.append(place / str(i))
        write_inputs(folders[-1], known, Case(events, returns, {}, {}))
    return folders


def _options() -> argparse.Namespace:
    keep = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep)
    parser.add_argument("--adapter", help="command that gets the folders of cases")
    known = list(SUITE["cases"])
    parser.add_argument("--cases", nargs="+", choices=known, default=known, help="default: all")
    parser.add_argument("--sizes", type=int, metavar="N", help="N samples of each design instead")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the cases and end")
    options = parser.parse_args()
    if not options.write and not options.adapter:
        parser.error("name an adapter (--adapter) or a folder for the cases (--write)")
    return options


if __name__ == "__main__":
    sys.exit(main())
