"""Brings up all that the other steps need: engine, base image, images, virtual environment."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from pushtrain.errors import OutsideError, PushtrainError
from pushtrain.local.base_image import ensure_base
from pushtrain.local.engine import EngineState, ensure_engine
from pushtrain.local.images import ensure_images
from pushtrain.local.paths import CHECKOUT, Home, current_home
from pushtrain.local.python_env import ensure_venv
from pushtrain.local.state_file import write_state
from pushtrain.local.timings import Timings


def timings_of(home: Home) -> Timings:
    """Return the timings of the command that runs now."""
    return Timings(home.state / "timings.json")


def prepare(home: Home) -> None:
    """Make what is missing and say what is made.

    Raises:
        OutsideError: Something can not be made here; says what to do.
    """
    home.make()
    timings = timings_of(home)
    timings.clear()
    with timings.stage("engine"):
        report = ensure_engine(home.logs)
    print(report.line, flush=True)
    if report.state is not EngineState.UP:
        raise OutsideError("pushtrain trains in containers: nothing works without an engine")
    # the base image waits for Debian's mirror, the venv for the package index
    with ThreadPoolExecutor(1) as pool:
        venv = pool.submit(_make_venv, home, timings)
        _make_images(home, timings)
        venv.result()


def _make_venv(home: Home, timings: Timings) -> None:
    with timings.stage("virtual environment (beside the images)"):
        is_new = ensure_venv(home)
    print("venv: made" if is_new else "venv: up to date", flush=True)


def _make_images(home: Home, timings: Timings) -> None:
    with timings.stage("base image"):
        base = ensure_base(home)
    write_state(home.state / "base.json", {"image": base})
    with timings.stage("training images"):
        names = ensure_images(home, base)
    print(f"images: {', '.join(names.values())}", flush=True)


def main() -> int:
    """Prepare, or say in one place what is wrong."""
    os.chdir(CHECKOUT)
    try:
        prepare(current_home())
    except PushtrainError as err:
        print(f"prepare: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
