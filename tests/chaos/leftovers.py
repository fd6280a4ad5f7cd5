"""Removes what a run of `make chaos` started and could not stop itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from pushtrain.contract import LABEL_STORE
from pushtrain.local import processes

# in the environment of all that a run starts, and a label of the containers without a store
MARK = "PUSHTRAIN_CHAOS"
LABEL = "pushtrain.chaos"
SECONDS = 10.0


def mark(folder: Path) -> None:
    """Have every process that this one starts bear the run's folder as its mark."""
    os.environ[MARK] = str(folder)


def sweep(folder: Path) -> None:
    """Remove processes, containers, mounts and files of a run; nothing if there are none."""
    end_processes(folder)
    _until_none(lambda: mounts_below(folder), _unmount)
    if containers := containers_of(folder):
        command = ["docker", "rm", "-f", "-v", *containers]
        subprocess.run(command, capture_output=True, check=True)
    # what was killed a moment ago may have written behind the first look
    _until_none(lambda: [folder] if folder.exists() else [], _remove)


def end_processes(folder: Path) -> None:
    """Kill what bears the mark of a folder, and wait until it is gone."""
    _until_none(lambda: marked_processes(folder), _kill)


def marked_processes(folder: Path) -> list[int]:
    """Return the processes that bear the mark of a folder, without this one."""
    setting = f"{MARK}={folder}"
    pids = (p.pid for p in processes.all_processes())
    return [p for p in pids if p != os.getpid() and processes.has_variable(p, setting)]


def mounts_below(folder: Path) -> list[str]:
    """Return what is mounted in a folder, the innermost first."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    places = [_plain(line.split()[1]) for line in lines]
    inside = (p for p in places if Path(p).is_relative_to(folder) and Path(p) != folder)
    return sorted(inside, key=len, reverse=True)


def containers_of(folder: Path) -> list[str]:
    """Return the ids of the containers with the folder as label, or with a store in it."""
    shape = f'{{{{.ID}}}}\t{{{{.Label "{LABEL_STORE}"}}}}\t{{{{.Label "{LABEL}"}}}}'
    command = ["docker", "ps", "-a", "--no-trunc", "--format", shape]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in told.splitlines()]
    return [
        number
        for number, store, label in rows
        if store.startswith(f"{folder}/") or label == str(folder)
    ]


def _plain(place: str) -> str:
    return place.replace("\\040", " ")


def _kill(pids: list[int]) -> None:
    processes.send(pids, signal.SIGKILL)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _unmount(places: list[str]) -> None:
    for place in places:
        # lazily: what has files open there may still be about to end
        subprocess.run(["umount", "-l", place], capture_output=True, check=False)


def _until_none(look: Callable[[], list], act: Callable[[list], None]) -> None:
    deadline = time.monotonic() + SECONDS
    while found := look():
        if time.monotonic() > deadline:
            raise RuntimeError(f"left over and not to be removed: {found}")
        act(found)
        time.sleep(processes.POLL_SECONDS)
