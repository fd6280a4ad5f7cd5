"""Becomes the supervisor of the embedded Airflow, once its database is there."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from pushtrain.local.paths import Home, current_home
from pushtrain.local.state_file import read_state, write_state

CONFIGURATION = Path(__file__).with_name("supervisord.conf")


def needs_migration(home: Home, airflow: str) -> bool:
    """Say whether the database is missing or was made by another version of Airflow."""
    is_there = all((home.airflow / name).exists() for name in ("airflow.db", "airflow.cfg"))
    return not is_there or read_state(_stamp(home)) != {"airflow": airflow}


def main() -> int:
    """Make or upgrade the database, then become supervisord; returns only if that failed."""
    home, airflow = current_home(), version("apache-airflow")
    if needs_migration(home, airflow):
        # the first of Airflow's processes also writes airflow.cfg, whose secrets all parts share
        done = subprocess.run(["airflow", "db", "migrate"], check=False)
        if done.returncode != 0:
            return done.returncode
        write_state(_stamp(home), {"airflow": airflow})
    os.execvp("supervisord", ["supervisord", "--configuration", str(CONFIGURATION)])


def _stamp(home: Home) -> Path:
    return home.airflow / "pushtrain-database.json"


if __name__ == "__main__":
    sys.exit(main())
