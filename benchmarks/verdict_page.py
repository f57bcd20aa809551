"""The page of the benchmark of verdicts: what is demanded, what was found, and the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from verdict_cells import COVERAGE, KINDS, LEVEL, POOLED, REAL, SIZES, STUDIES, Cell


def sound(found: Iterable[Cell]) -> list[Cell]:
    """Return the cells that are not known weak ones."""
    return [cell for cell in found if not cell.weak]


def pooled(found: Iterable[Cell]) -> float:
    """Return the size of all cells together that are not weak, in percent."""
    counted = [cell.counts for cell in sound(found)]
    return 100 * sum(c.different for c in counted) / max(sum(c.samples for c in counted), 1)


def failures(found: list[Cell]) -> list[str]:
    """Return what is not met, a line each."""
    lines = [f"{c.design}, {c.kind}: {', '.join(c.faults)}" for c in sound(found) if c.faults]
    lines += [
        f"{c.design}, {c.kind}: {fault}" for c in found if c.weak for fault in c.faults
        if fault in ("coherence", "power")
    ]  # fmt: skip
    if abs(pooled(found) - 100 * LEVEL) > POOLED:
        lines.append(f"pooled size {pooled(found):.1f}")
    return lines or ["nothing"]


def page(found: list[Cell]) -> Iterator[str]:
    """Yield the lines of docs/verdicts.md that the counts decide."""
    n = [cell.counts.samples for cell in found]
    made = [cell.counts.samples for cell in found if cell.design != REAL] or n
    yield (
        f"The tables have {len(found)} cells with {sum(n):,} samples. Each cell with "
        f"simulated returns has at least {min(made):,} samples."
    )
    yield from ("", *demands(found))
    yield from ("", "Demands that are not met:", "", *(f"- {line}" for line in failures(found)))
    shows: dict[str, Callable[[Cell], str]] = {
        "Size, %": size_text, "Power, % (in parentheses: the main test alone)": power_text,
        "Coverage, % (first without the effect, then with the effect)": coverage_text,
    }  # fmt: skip
    for title, show in shows.items():
        yield from ("", f"**{title}**", "", *table(found, show))


def demands(found: list[Cell]) -> Iterator[str]:
    """Yield a table of what is demanded and what was found."""
    good, cells = sound(found), [cell.counts for cell in found]
    shares = [cell.counts.percent for cell in good]
    sizes = [share("different") for share in shares]
    covers = [min(share("covered"), share("held")) for share in shares]
    within, held = (
        sum(fault not in cell.faults for cell in good) for fault in ("size", "coverage")
    )
    wrong, missing = sum(c.incoherent for c in cells), sum(c.missing for c in cells)
    gap = max((abs(c.percent("power") - c.percent("main")) for c in cells), default=0.0)
    n = len(good)
    yield "| demanded | found |"
    yield "|---|---|"
    yield (
        "| In all cells without square brackets together, the size must be "
        f"{100 * LEVEL - POOLED:.1f}% to {100 * LEVEL + POOLED:.1f}%. | "
        f"{pooled(found):.2f}%, from {n} cells |"
    )
    yield (
        f"| In each cell without square brackets, the size must be {SIZES[0]:.0f}% to "
        f"{SIZES[1]:.0f}%, or miss this range by at most two standard errors. | "
        f"{within} of {n} cells; the sizes are {min(sizes):.1f}% to {max(sizes):.1f}% |"
    )
    yield (
        "| In every sample, the verdict must be `different` exactly if the interval excludes zero. "
        f"| {wrong} exceptions |"
    )
    yield (
        "| Leaving out events with fewer than 60 complete estimation days must not lower the "
        f"power. | the power changes by at most {gap:.1f} points |"
    )
    yield (
        "| In each cell without square brackets, the coverage of the interval must be at least "
        f"{COVERAGE:.0f}%, both without and with the effect. | {held} of {n} cells; "
        f"the lowest coverage is {min(covers):.1f}% |"
    )
    yield f"| The main test must give a p-value in every sample. | {missing} samples have none |"


def table(found: list[Cell], show: Callable[[Cell], str]) -> Iterator[str]:
    """Yield a table with a row a design and a column a kind; weak cells in brackets."""
    kinds = [kind for kind in KINDS if any(cell.kind == kind for cell in found)]
    at = {(cell.design, cell.kind): cell for cell in found}
    yield f"| design | effect, % | {' | '.join(kinds)} |"
    yield "|---|--:|" + "--:|" * len(kinds)
    for design, study in STUDIES.items():
        row = [at.get((design, kind)) for kind in kinds]
        if any(row):
            shown = " | ".join(bracketed(cell, show) for cell in row)
            yield f"| {design} | {100 * study.effect:.1f} | {shown} |"


def bracketed(cell: Cell | None, show: Callable[[Cell], str]) -> str:
    """Return the text of a cell, a weak one in brackets."""
    if cell is None:
        return "-"
    return f"[{show(cell)}]" if cell.weak else show(cell)


def size_text(cell: Cell) -> str:
    star = "*" if "size" in cell.faults and not cell.weak else ""
    return f"{cell.counts.percent('different'):.1f}{star}"


def power_text(cell: Cell) -> str:
    verdict, alone = cell.counts.percent("power"), cell.counts.percent("main")
    return f"{verdict:.1f}" if verdict == alone else f"{verdict:.1f} ({alone:.1f})"


def coverage_text(cell: Cell) -> str:
    star = "*" if "coverage" in cell.faults and not cell.weak else ""
    return f"{cell.counts.percent('covered'):.1f}, {cell.counts.percent('held'):.1f}{star}"
