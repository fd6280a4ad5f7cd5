"""`make clean`: removes everything that was made, but not the engine."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress

from pushtrain.errors import PushtrainError
from pushtrain.local import standalone, wipe
from pushtrain.local.engine import EngineState, check_engine
from pushtrain.local.paths import Home, current_home
from pushtrain.local.python_env import VENV


def main() -> int:
    """Stop Airflow, then remove containers, images and folders, saying so."""
    home = current_home()
    standalone.down(home)
    try:
        if check_engine().state is EngineState.UP:
            print(f"clean: {wipe.remove_trainings(home)} training containers removed")
            print(f"clean: {len(wipe.remove_images())} images removed")
        else:
            print("clean: no engine answers, so no images were removed")
        wipe.wipe_demo(home)
    except PushtrainError as err:
        print(f"clean: {err}", file=sys.stderr)
        return 1
    shutil.rmtree(VENV, ignore_errors=True)
    _remove_home(home)
    print(f"clean: {VENV} and what was made in {home.root} removed")
    return 0


def _remove_home(home: Home) -> None:
    """Remove the folders that are made there, and the home itself if nothing else is in it."""
    for folder in (home.airflow, home.logs, home.state, home.tests, home.root / "chaos-engine"):
        shutil.rmtree(folder, ignore_errors=True)
    # what an operator laid there stays
    for folder in (home.datasets, home.root):
        with suppress(OSError):
            folder.rmdir()


if __name__ == "__main__":
    sys.exit(main())
