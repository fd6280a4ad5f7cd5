"""Calls the docker command: what the set-up does with images, before any library is installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pushtrain.errors import OutsideError

SHOWN_LINES = 15
SHOWN_COLUMNS = 300


def output(*arguments: str) -> str:
    """Return what a docker command prints; empty if it failed or there is no such command."""
    command = ["docker", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def image_id(name: str) -> str:
    """Return the id of a local image, empty if there is none of that name."""
    return output("image", "inspect", "--format", "{{.Id}}", name)


def build_environment() -> dict[str, str]:
    """Return the environment for `docker build`.

    A command without the buildx plugin fails or warns where BuildKit is asked for; every
    Dockerfile here builds with the classic builder too.
    """
    mode = "1" if output("buildx", "version") else "0"
    return {**os.environ, "DOCKER_BUILDKIT": mode, "BUILDKIT_PROGRESS": "plain"}


def run_logged(command: Sequence[str], log: Path, env: dict[str, str] | None = None) -> None:
    """Run a long command with its output in `log`.

    Raises:
        OutsideError: It failed; the message ends with the last lines of its output.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        done = subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise OutsideError(
            f"`{' '.join(command[:3])} ...` failed with {done.returncode}; whole log: {log}\n"
            f"{last_lines(log)}"
        )


def last_lines(log: Path, count: int = SHOWN_LINES) -> str:
    """Return the end of a log, lines set in and cut to a readable length; empty without a log."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line[:SHOWN_COLUMNS]}" for line in lines[-count:])
