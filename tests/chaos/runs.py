"""A run of `make chaos` as a file, and the report of one run or of several together."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.outcome import Outcome
from tests.chaos.table import Row, markdown_table

SCHEMA = 2
LEGEND = (
    "Seconds to go on: from the kill (from the engine's return where it was away) to the first "
    "new batch or fit, median and maximum; `undisturbed`: the container went on. Epochs twice: "
    "finished, as the container's own log says, and finished again by a later attempt. One "
    "container: exactly one for each attempt, as the engine's events tell; `-`: not measured."
)


@dataclass(frozen=True)
class Run:
    """What a run showed.

    Attributes:
        about: Date, machine and choices, in one line.
        rows: In the order of the table.
    """

    about: str
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        rows = [
            {**dataclasses.asdict(r.outcome), "good": r.outcome.is_good, "took": round(r.took, 1)}
            for r in self.rows
        ]
        return {"schema": SCHEMA, "about": self.about, "rows": rows}

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Run:
        """Return what `to_dict` wrote.

        Raises:
            ValueError: Another version of this program wrote it.
        """
        if told["schema"] != SCHEMA:
            raise ValueError(f"schema {told['schema']!r} is not {SCHEMA}: run it again")
        return cls(told["about"], tuple(_row(row) for row in told["rows"]))


def _row(told: dict[str, Any]) -> Row:
    fields = {f.name: told[f.name] for f in dataclasses.fields(Outcome)}
    return Row(Outcome(**{**fields, "seconds": tuple(told["seconds"])}), told["took"])


def read(path: Path) -> Run:
    """Return a run from its file.

    Raises:
        ValueError: It holds none.
    """
    try:
        return Run.from_dict(json.loads(path.read_bytes()))
    except (KeyError, TypeError, ValueError) as err:
        raise ValueError(f"{path} holds no run of chaos: {err}") from err


def write(run: Run, path: Path) -> None:
    """Write a run into its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(run.to_dict(), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def together(runs: Sequence[Run]) -> tuple[list[Row], list[str]]:
    """Return one row a scenario, the last one of each, and what was run again, in words."""
    rows: dict[str, Row] = {}
    again = []
    for number, run in enumerate(runs, start=1):
        for row in run.rows:
            name = row.outcome.scenario
            if name in rows:
                before = "good" if rows[name].outcome.is_good else "NOT GOOD"
                again.append(f"{name} (again in run {number}, {before} before)")
            rows[name] = row
    return list(rows.values()), again


def report(runs: Sequence[Run]) -> str:
    """Return the text for the README: when and how, what the columns mean, the table."""
    rows, again = together(runs)
    if len(runs) == 1:
        about = [runs[0].about]
    else:
        about = [f"Put together from {len(runs)} runs:", ""]
        for number, run in enumerate(runs, start=1):
            names = ", ".join(row.outcome.scenario for row in run.rows)
            about.append(f"{number}. {run.about}: {names}")
        about += ["", f"Run more than once: {'; '.join(again)}."] if again else []
    return "\n".join([*about, "", LEGEND, "", markdown_table(rows), ""])


def machine() -> str:
    """Return what this runs on, in a few words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = ".".join(platform.release().split(".")[:2])
    try:
        system = platform.freedesktop_os_release()
        name = f"{system['NAME'].split()[0]} {system.get('VERSION_ID', '')}".strip()
    except (OSError, KeyError):
        name = platform.system()
    return (
        f"{name}, {os.cpu_count()} processors, {memory:.0f} GiB, Linux {kernel}, "
        f"Python {platform.python_version()}"
    )


def now() -> str:
    """Return date and time."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
