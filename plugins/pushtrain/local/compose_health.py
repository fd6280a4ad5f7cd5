"""The health check of a part of Airflow in docker-compose.airflow.yml; ends a part that hangs.

An engine calls a container unhealthy and leaves it at that. What ends by itself it starts again,
so a part that lives and does nothing is ended here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from pushtrain.local import processes
from pushtrain.local.patience import Patience
from pushtrain.local.state_file import read_state, write_state

API_SERVER, WORKER = "api-server", "worker"
PATH = "/api/v2/monitor/health"
# the execution API is built at its first request, which takes seconds: the look at it spares the
# first task that
OWN_URLS = (f"http://127.0.0.1:8080{PATH}", "http://127.0.0.1:8080/execution/health")
URL = f"http://api-server:8080{PATH}"
STATE = Path("/tmp/pushtrain-health.json")
TIMEOUT_SECONDS = 5.0
OWN_TIMEOUT_SECONDS = 20.0
HEALTHY = "healthy"
NO_REPLY = 69  # of `celery inspect`: the broker answers, the worker does not


class Unknown(Exception):
    """What the part would be asked through does not answer, which is not its fault."""


def status_of(part: str) -> str:
    """Return `healthy`, or what is wrong with a part.

    Args:
        part: `api-server`, `worker`, or a part by the name that Airflow gives it.

    Raises:
        Unknown: Nothing can be said.
    """
    if part == API_SERVER:
        return _answers()
    return _pings() if part == WORKER else _beats(part)


def _answers() -> str:
    try:
        for url in OWN_URLS:
            urllib.request.urlopen(url, timeout=OWN_TIMEOUT_SECONDS).close()
    except OSError as err:
        return str(err)
    return HEALTHY


def _pings() -> str:
    broker, host = os.environ["AIRFLOW__CELERY__BROKER_URL"], os.environ["HOSTNAME"]
    # without --app: loading Airflow for each look would keep a core busy
    command = ["celery", "--broker", broker, "inspect", "ping", "--timeout", "5"]
    done = subprocess.run(
        [*command, "--destination", f"celery@{host}"], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, NO_REPLY):
        raise Unknown(done.stderr.strip())
    return "does not answer" if done.returncode else HEALTHY


def _beats(part: str) -> str:
    try:
        with urllib.request.urlopen(URL, timeout=TIMEOUT_SECONDS) as answer:
            told = json.load(answer)
    except (OSError, ValueError) as err:
        raise Unknown(f"api-server: {err}") from err
    if told["metadatabase"]["status"] != HEALTHY:
        raise Unknown("the database is away")
    return str(told[part]["status"])


def is_stuck(state: dict[str, Any], part: str, boot: int, status: str, now: float) -> bool:
    """Tell whether a part was not healthy for too long.

    Args:
        state: What earlier looks saw; changed in place.
        part: As Airflow calls it.
        boot: Tells a start of the container from the one before.
        status: What Airflow says of the part.
        now: Seconds of a clock that only goes forward.
    """
    process = (part, boot)
    is_same = state.get("boot") == boot
    since, well = (state.get("since"), state.get("well")) if is_same else (None, False)
    patience = Patience({process: since} if since is not None else {}, {process} if well else set())
    wrong = "" if status == HEALTHY else status
    overdue = patience.overdue({process: wrong}, now)
    state.update(boot=boot, since=patience.since.get(process), well=bool(patience.seen_well))
    return bool(overdue)


def end_part() -> None:
    """End the container's main process, the first that its init started; it is restarted then."""
    alive = [found for pid in processes.children(1) if (found := processes.facts(pid))]
    if alive:
        processes.send([min(alive, key=lambda p: p.started).pid], signal.SIGKILL)


def main(part: str) -> int:
    """Return 0 for a healthy part; one that is not healthy for long is ended."""
    try:
        status = status_of(part)
    except Unknown as err:
        print(err)
        return 1
    init, state = processes.facts(1), read_state(STATE)
    stuck = is_stuck(state, part, init.started if init else 0, status, time.monotonic())
    write_state(STATE, state)
    if status != HEALTHY:
        print(status)
    if stuck:
        end_part()
    return int(status != HEALTHY)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
