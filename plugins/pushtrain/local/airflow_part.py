"""Becomes one part of the embedded Airflow; the supervisor runs it each time that a part starts."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pushtrain.local import processes
from pushtrain.local.airflow_parts import PARTS, WATCH, leftovers, process_of, remember_part
from pushtrain.local.paths import Home, current_home


def log_of(home: Home, part: str) -> Path:
    """Return the log file of a part."""
    return home.logs / f"airflow-{part}.log"


def airflow_logs(home: Home) -> list[Path]:
    """Return the log files of the supervisor and of all parts, whether they are there or not."""
    return [home.logs / "airflow.log", *(log_of(home, part) for part in (*PARTS, WATCH))]


def write_to(log: Path) -> None:
    """Have this process, and what it becomes, write to the end of a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sink = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for stream in (1, 2):
        os.dup2(sink, stream)
    os.close(sink)


def end_leftovers(home: Home) -> None:
    """End what parts left behind that were killed: they would hold ports and memory for ever."""
    processes.send(leftovers(process_of(home).members()), signal.SIGKILL)


def main(part: str) -> None:
    """Become `airflow <part>`; does not return."""
    home = current_home()
    write_to(log_of(home, part))
    end_leftovers(home)
    remember_part(home, part)
    os.execvp("airflow", ["airflow", part])


if __name__ == "__main__":
    main(sys.argv[1])
