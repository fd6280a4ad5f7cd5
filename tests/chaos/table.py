"""The table of `make chaos`: one row a scenario, for the terminal and the README."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.outcome import Outcome

HEADINGS = (
    "scenario", "tried", "recovered", "epochs twice", "bit-identical", "seconds to go on",
    "lost", "one container", "took", "",
)  # fmt: skip
WHY_WIDTH = 100  # the evidence was printed where it failed
MOST_SLOW = 8
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


def not_run(name: str, why: str) -> Outcome:
    """Return the outcome of a scenario that can not be tried on this machine."""
    return Outcome(name, tried=0, recovered=0, epochs_twice=0, identical=None, not_run=why)


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


def markdown_table(rows: Sequence[Row]) -> str:
    """Return the table for the README."""
    shown = [*HEADINGS[:SHOWN], "note"]
    lines = [f"| {' | '.join(shown)} |", f"|{' --- |' * len(shown)}"]
    for row in rows:
        cells = [*_cells(row)[:SHOWN], row.outcome.note]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def slowest(rows: Sequence[Row]) -> str:
    """Return the scenarios that took longest, in one line."""
    longest = sorted(rows, key=lambda row: -row.took)[:MOST_SLOW]
    return "slowest: " + ", ".join(f"{r.outcome.scenario} {r.took:.0f} s" for r in longest)


def told_seconds(seconds: Sequence[float]) -> str:
    """Return median and maximum; without seconds the training was not disturbed."""
    if not seconds:
        return "undisturbed"
    if len(seconds) == 1:
        return f"{seconds[0]:.1f}"
    return f"{statistics.median(seconds):.1f}, at most {max(seconds):.1f}"


def _cells(row: Row) -> tuple[str, ...]:
    outcome = row.outcome
    if outcome.not_run:
        why = f"not run: {outcome.not_run}"
        return (outcome.scenario, "0", "-", "-", "-", "-", why, "-", "-", "<- NOT RUN")
    return (
        outcome.scenario,
        str(outcome.tried),
        str(outcome.recovered),
        str(outcome.epochs_twice),
        _told(outcome.identical),
        told_seconds(outcome.seconds) if outcome.recovered else "-",
        outcome.lost or "nothing",
        _told(outcome.containers_once),
        f"{row.took:.0f} s",
        "" if outcome.is_good else "<- NOT GOOD",
    )


def _told(answer: bool | None) -> str:
    return {True: "yes", False: "NO", None: "-"}[answer]
