"""`make test`: all checks in an order that fails early, and where the time went."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from pushtrain.local.paths import CHECKOUT

# make target (with its variables) and what it is called; set-up first, then the quick ones
STAGES = (
    ("venv", "virtual environment"),
    ("lint", "lint and types"),
    ("unit", "unit tests"),
    ("dags", "DAG integrity"),
    ("images", "engine and images"),
    ("trainer", "trainer"),
    ("integration", "integration"),
    ("system", "system"),
    ("chaos CHAOS_SHORT=1", "chaos, short form"),
)


def run_stages(stages: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, float]], int]:
    """Run the make targets until one fails; return the seconds of each and the exit code."""
    times: list[tuple[str, float]] = []
    for target, name in stages:
        print(f"\n=== {name} (make {target})", flush=True)
        started = time.monotonic()
        code = subprocess.run(["make", *target.split()], cwd=CHECKOUT, check=False).returncode
        times.append((name, time.monotonic() - started))
        if code:
            return times, code
    return times, 0


def table(times: Sequence[tuple[str, float]], failed: bool) -> str:
    """Return the table of stages; the last one is marked if it failed."""
    rows = [f"  {name:<22}{seconds:8.1f} s" for name, seconds in times]
    if failed:
        rows[-1] += "   FAILED"
    total = f"  {'total':<22}{sum(s for _, s in times):8.1f} s"
    return "\n".join(["where the time went", *rows, total])


def main() -> int:
    """Run all stages."""
    os.chdir(CHECKOUT)
    times, code = run_stages(STAGES)
    print(f"\n{table(times, failed=code != 0)}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
