"""Which processes the parts of the embedded Airflow are.

`Detached` starts `supervisord` (supervisord.conf), and that starts each part, and starts it again
when it dies. A part leads a process group, in which all of its own processes are: the scheduler's
workers, the parsers of the DAG files. Only a running task leads a group of its own, watched by
its worker.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from pushtrain.local import processes
from pushtrain.local.detached import Detached
from pushtrain.local.paths import Home
from pushtrain.local.state_file import read_state, write_state

PARTS = ("scheduler", "dag-processor", "api-server", "triggerer")
WATCH = "watch"  # looks for parts that live and do nothing: stuck_parts.py


def process_of(home: Home) -> Detached:
    """Return the handle of a home's Airflow, running or not: the process is the supervisor."""
    return Detached("airflow", home.state / "airflow.json")


def remember_part(home: Home, part: str) -> None:
    """Write down that this process is a part; Airflow changes its name and its environment."""
    found = processes.facts(os.getpid())
    started = found.started if found else 0
    about = {"pid": os.getpid(), "started": started, "since": time.time()}
    write_state(_file(home, part), about)


def pid_of(home: Home, part: str) -> int | None:
    """Return the number of a part's main process, None if it is dead at this moment.

    Args:
        home: Of the embedded Airflow.
        part: One of `PARTS`, or `WATCH`.
    """
    state = read_state(_file(home, part))
    found = processes.facts(int(state.get("pid", 0)))
    return found.pid if found and found.started == state.get("started") else None


def started_at(home: Home, part: str) -> float:
    """Return when a part was started last (Unix time)."""
    return float(read_state(_file(home, part)).get("since", 0.0))


def pids_of(home: Home, part: str) -> list[int]:
    """Return the processes of a part, its main one first; those of running tasks are not its own.

    Args:
        home: Of the embedded Airflow.
        part: One of `PARTS`, or `WATCH`.
    """
    main = pid_of(home, part)
    if main is None:
        return []
    return [main, *(p.pid for p in processes.all_processes() if p.group == main != p.pid)]


def missing_parts(home: Home) -> list[str]:
    """Return the parts that are dead at this moment."""
    return [part for part in PARTS if pid_of(home, part) is None]


def leftovers(members: Iterable[int]) -> list[int]:
    """Return what dead parts left behind and nobody needs.

    A worker that watches a task is needed: it brings the task to its end.

    Args:
        members: The living processes of an embedded Airflow.
    """
    alive = [found for pid in members if (found := processes.facts(pid))]
    at_work = {p.parent for p in alive if p.group == p.pid}
    left = [p for p in alive if processes.facts(p.group) is None]
    return [p.pid for p in left if p.pid not in at_work]


def _file(home: Home, part: str) -> Path:
    return home.state / "parts" / f"{part}.json"
