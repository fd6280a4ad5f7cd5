"""Installs Debian packages where that is possible: root, apt-get, Debian or Ubuntu."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pushtrain.errors import OutsideError


def os_ids(os_release: Path = Path("/etc/os-release")) -> frozenset[str]:
    """Return the distribution's id and those that it says it is like."""
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    words = f"{pairs.get('ID', '')} {pairs.get('ID_LIKE', '')}".replace('"', "")
    return frozenset(words.split())


def why_not() -> str:
    """Return why packages can not be installed here; empty if they can."""
    if not os_ids() & {"debian", "ubuntu"} or not shutil.which("apt-get"):
        return "this is neither Debian nor Ubuntu"
    if os.geteuid() != 0:
        return "you are not root"
    return ""


def is_known(package: str) -> bool:
    """Say whether apt has a candidate for the package."""
    shown = subprocess.run(
        ["apt-cache", "policy", package], capture_output=True, text=True, check=False
    ).stdout
    return "Candidate:" in shown and "Candidate: (none)" not in shown


def install(wanted: Sequence[str | tuple[str, ...]], log: Path) -> None:
    """Install packages without recommended ones.

    Args:
        wanted: Names; of a tuple, the first that apt knows, and an empty name stands for none.
        log: What apt says is added here.

    Raises:
        OutsideError: They can not be installed here, or apt failed; names the log.
    """
    if reason := why_not():
        raise OutsideError(f"Debian packages can not be installed because {reason}")
    _apt(["update"], log)
    choices = [(each,) if isinstance(each, str) else each for each in wanted]
    known = [_first_known(names, log) for names in choices]
    _apt(["install", "-y", "--no-install-recommends", *filter(None, known)], log)


def _first_known(names: tuple[str, ...], log: Path) -> str:
    """Return the first name that apt knows: `apt-get update` ends with 0 without a network too."""
    for name in names:
        if not name or is_known(name):
            return name
    raise OutsideError(f"apt knows no package {' or '.join(names)}: see {log}")


def _apt(arguments: list[str], log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        done = subprocess.run(
            ["apt-get", "-q", *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise OutsideError(f"apt-get {arguments[0]} failed with {done.returncode}: see {log}")
