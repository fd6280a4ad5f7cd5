"""Kills parts of the embedded Airflow that live and do nothing: the supervisor starts them anew.

It also ends what a killed scheduler left behind, and keeps the log files small.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pushtrain.errors import OutsideError
from pushtrain.local import processes
from pushtrain.local.airflow_api import AirflowApi, read_password
from pushtrain.local.airflow_env import USER, ports_from
from pushtrain.local.airflow_part import airflow_logs, end_leftovers, log_of, write_to
from pushtrain.local.airflow_parts import (
    PARTS,
    WATCH,
    pid_of,
    pids_of,
    process_of,
    remember_part,
    started_at,
)
from pushtrain.local.paths import Home, current_home
from pushtrain.local.patience import JAMMED, Patience, Process

LOOK_SECONDS = 10.0
# A free worker takes a task that is queued within a second. Killing the one that listens to the
# queue leaves its lock taken: then no other worker ever hears of a task again.
QUEUED_SECONDS = 20.0
LOG_BYTES = 20_000_000
_QUEUED = "/api/v2/dags/~/dagRuns/~/taskInstances?state=queued&limit=100"
_FREE_WORKER = "LocalExecutor: <idle>"


def examine(home: Home, api: AirflowApi, now: datetime) -> dict[Process, str]:
    """Return what is wrong with each living part, empty if nothing is.

    What can not be known is left out: without the api-server nothing can be said of the others,
    and without the database of none.
    """
    judged: tuple[str, ...] = PARTS
    try:
        told = api.sick_parts()
        if "database" in told:
            return {}
        if "scheduler" not in told and _is_jammed(home, api, now):
            told["scheduler"] = JAMMED
    except OutsideError as err:
        told, judged = {"api-server": str(err)}, ("api-server",)
    found = {part: pid_of(home, part) for part in judged}
    return {(part, pid): told.get(part, "") for part, pid in found.items() if pid}


def _is_jammed(home: Home, api: AirflowApi, now: datetime) -> bool:
    titles = [_title(pid) for pid in pids_of(home, "scheduler")]
    if not any(_FREE_WORKER in title for title in titles):
        return False
    # what an earlier scheduler queued is not known to the workers of this one
    since = datetime.fromtimestamp(started_at(home, "scheduler"), UTC)
    before = now - timedelta(seconds=QUEUED_SECONDS)
    waiting = api.call("GET", _QUEUED)["task_instances"]
    return any(
        since < datetime.fromisoformat(task["queued_when"]) < before
        # taken by a worker that waits for the api-server
        and not any(task["id"] in title for title in titles)
        for task in waiting
        if task["queued_when"]
    )


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def shorten(log: Path) -> None:
    """Move a log's text to `<log>.1` when it has become too long, and go on with an empty one.

    Its writers all write to the end, wherever that is. What they write between the two steps is
    lost.
    """
    if not log.exists() or log.stat().st_size < LOG_BYTES:
        return
    aside = log.with_name(f"{log.name}.1")
    aside.write_bytes(log.read_bytes())
    os.truncate(log, 0)


def look(home: Home, patience: Patience) -> None:
    """Look once at everything; says what it kills."""
    for log in airflow_logs(home):
        shorten(log)
    end_leftovers(home)
    ports = ports_from(process_of(home).state)
    if ports is None:
        return
    api = AirflowApi(ports.base_url, USER, read_password(home.airflow, USER))
    parts = examine(home, api, datetime.now(UTC))
    for part, pid in patience.overdue(parts, time.monotonic()):
        print(f"{datetime.now(UTC):%FT%TZ} {part} ({pid}): {parts[part, pid]}: killed", flush=True)
        processes.send([pid], signal.SIGKILL)


def main() -> int:
    """Look every few seconds, for ever."""
    home = current_home()
    write_to(log_of(home, WATCH))
    remember_part(home, WATCH)
    patience = Patience()
    while True:
        time.sleep(LOOK_SECONDS)
        look(home, patience)


if __name__ == "__main__":
    sys.exit(main())
