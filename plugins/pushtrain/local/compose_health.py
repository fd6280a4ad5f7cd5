"""The health check of a part of Airflow in docker-compose.airflow.yml; ends a part that hangs.

An engine calls a container unhealthy and leaves it at that. What ends by itself it starts again,
so a part that lives and does nothing is ended here.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from pushtrain.local import processes
from pushtrain.local.patience import Patience
from pushtrain.local.state_file import read_state, write_state

URL = "http://api-server:8080/api/v2/monitor/health"
STATE = Path("/tmp/pushtrain-health.json")
TIMEOUT_SECONDS = 5.0


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
    wrong = "" if status == "healthy" else status
    overdue = patience.overdue({process: wrong}, now)
    state.update(boot=boot, since=patience.since.get(process), well=bool(patience.seen_well))
    return bool(overdue)


def end_part() -> None:
    """End the container's main process, which its init started; it is restarted then."""
    for pid in processes.children(1):
        if b"airflow" in Path(f"/proc/{pid}/cmdline").read_bytes():
            processes.send([pid], signal.SIGKILL)


def main(part: str) -> int:
    """Return 0 for a healthy part; one that is not healthy for long is ended."""
    try:
        with urllib.request.urlopen(URL, timeout=TIMEOUT_SECONDS) as answer:
            told = json.load(answer)
    except (OSError, ValueError) as err:  # the api-server's fault, not this part's
        print(err)
        return 1
    if told["metadatabase"]["status"] != "healthy":
        return 1
    init, status = processes.facts(1), str(told[part]["status"])
    state = read_state(STATE)
    stuck = is_stuck(state, part, init.started if init else 0, status, time.monotonic())
    write_state(STATE, state)
    if stuck:
        end_part()
    return int(status != "healthy")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
