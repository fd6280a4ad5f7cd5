"""The demo's part inside the compose set-up: pushes the examples and shows how they train.

Runs in Airflow's image with the volumes of the store (read-only) and of the model repo, because
the host's user may not read them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pushtrain.adapters.store import Store
from pushtrain.errors import OutsideError, PushtrainError
from pushtrain.local import report
from pushtrain.local.compose_push import REPO, push
from pushtrain.local.follow import follow
from pushtrain.local.progress import Progress, read_progress

STORE = Path("/store")
SENSE_SECONDS = 120.0


def show(examples: Path, minutes: float, console: Console) -> bool:
    """Push, follow the commit's experiments, and print the table; True if all are good.

    Raises:
        OutsideError: The push was not sensed.
    """
    scripts = push(REPO, examples)
    commit, started = REPO.git("rev-parse", "HEAD"), time.monotonic()
    if scripts:
        console.print(f"pushed {len(scripts)} scripts as {commit[:8]}", highlight=False)
    else:
        console.print(
            "the model repo has these scripts already, and no commit is trained twice: showing "
            "its experiments (`make compose-down VOLUMES=1` forgets them)",
            soft_wrap=True,
        )

    def look() -> Sequence[Progress]:
        found = [p for p in read_progress(Store(STORE)) if p.experiment.commit == commit]
        if scripts and not found and time.monotonic() - started > SENSE_SECONDS:
            raise OutsideError(
                f"the push was not sensed within {SENSE_SECONDS:.0f} s: look at the runs of "
                "mlops_train in the UI, and at `docker logs` of the triggerer"
            )
        return found

    expected = len(scripts) or len(look())
    found = follow(look, expected, started + minutes * 60, console)
    report.print_results(found, STORE, console)
    return bool(found) and len(found) >= expected and all(p.is_reached for p in found)


def main() -> int:
    """Push and follow; 0 only if every experiment reached its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=Path, help="folder with scripts and a pyproject.toml")
    parser.add_argument("--minutes", type=float, default=20.0, help="give up after this time")
    given = parser.parse_args()
    try:
        return 0 if show(given.examples, given.minutes, Console()) else 1
    except PushtrainError as err:
        print(f"demo: {err}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
