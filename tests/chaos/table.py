"""The table of `make chaos`: one row a scenario, for the terminal, the README and machines."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.outcome import Outcome

HEADINGS = (
    "scenario", "tried", "recovered", "epochs twice", "bit-identical", "seconds to go on",
    "lost", "one container", "took", "",
)  # fmt: skip
WHY_WIDTH = 100  # the evidence was printed where it failed
SHOWN = len(HEADINGS) - 2  # what the README shows of them


@dataclass(frozen=True)
class Row:
    """What a scenario showed, and how long it took (seconds, all tries and its own set-up)."""

    outcome: Outcome
    took: float


def failed(name: str, error: BaseException) -> Outcome:
    """Return the outcome of a scenario that could not be brought to its end."""
    lines = str(error).strip().splitlines() or [""]
    why = f"{type(error).__name__}: {lines[0]}" if lines[0] else type(error).__name__
    why = why if len(why) <= WHY_WIDTH else f"{why[:WHY_WIDTH]}..."
    return Outcome(name, tried=1, recovered=0, epochs_twice=0, identical=None, lost=why)


def text_table(rows: Sequence[Row]) -> str:
    """Return the table for a terminal; what is not good is marked."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(cells[k]) for cells in lines) for k in range(len(HEADINGS) - 1)]
    text = []
    for cells in lines:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        text.append("  ".join([*padded, cells[-1]]).rstrip())
    notes = [f"  {r.outcome.scenario}: {r.outcome.note}" for r in rows if r.outcome.note]
    return "\n".join([*text, *(["", "notes", *notes] if notes else [])])


def markdown_table(rows: Sequence[Row], facts: str) -> str:
    """Return the table for the README, below a line with date and machine."""
    shown = [*HEADINGS[:SHOWN], "note"]
    lines = [f"| {' | '.join(shown)} |", f"|{' --- |' * len(shown)}"]
    for row in rows:
        cells = [*_cells(row)[:SHOWN], row.outcome.note]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join([facts, "", *lines, ""])


def record(rows: Sequence[Row], facts: str) -> dict[str, Any]:
    """Return the rows for machines."""
    told = [
        {**dataclasses.asdict(r.outcome), "good": r.outcome.is_good, "took": round(r.took, 1)}
        for r in rows
    ]
    return {"schema": 1, "facts": facts, "rows": told}


def told_seconds(seconds: Sequence[float]) -> str:
    """Return median and maximum; without seconds the training was not disturbed."""
    if not seconds:
        return "undisturbed"
    if len(seconds) == 1:
        return f"{seconds[0]:.1f}"
    return f"{statistics.median(seconds):.1f}, at most {max(seconds):.1f}"


def _cells(row: Row) -> tuple[str, ...]:
    outcome = row.outcome
    identical = {True: "yes", False: "NO", None: "-"}[outcome.identical]
    return (
        outcome.scenario,
        str(outcome.tried),
        str(outcome.recovered),
        str(outcome.epochs_twice),
        identical,
        told_seconds(outcome.seconds) if outcome.recovered else "-",
        outcome.lost or "nothing",
        "yes" if outcome.containers_once else "NO",
        f"{row.took:.0f} s",
        "" if outcome.is_good else "<- NOT GOOD",
    )
