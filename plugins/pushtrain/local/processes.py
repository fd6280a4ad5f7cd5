"""Knows processes by what /proc tells: never by a name that others may bear too."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class ProcessFacts:
    """What tells a process from a later one that was given the same number.

    Attributes:
        session: Number of its session; it stays when parents die.
        started: Clock ticks from the start of the machine to its own.
        parent: Number of the process that started it, 1 once that is gone.
        group: Number of its process group; as a rule that of the process that leads it.
        state: One letter; `Z` is dead, but not yet fetched by its parent.
    """

    pid: int
    session: int
    started: int
    parent: int
    group: int
    state: str


def facts(pid: int) -> ProcessFacts | None:
    """Return the facts of a living process, None for a dead one."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the name in brackets may hold anything, so count from the last bracket on
    fields = text[text.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return ProcessFacts(
        pid,
        session=int(fields[3]),
        started=int(fields[19]),
        parent=int(fields[1]),
        group=int(fields[2]),
        state=fields[0],
    )


def all_processes() -> Iterator[ProcessFacts]:
    """Yield the facts of all living processes that can be seen."""
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (found := facts(int(folder.name))):
            yield found


def children(pid: int) -> list[int]:
    """Return the pids of the living processes that `pid` started itself."""
    return [found.pid for found in all_processes() if found.parent == pid]


def has_variable(pid: int, setting: str) -> bool:
    """Say whether a process was started with `NAME=value` in its environment."""
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return setting.encode() in raw.split(b"\0")


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
