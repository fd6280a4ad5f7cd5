"""Waits for a full or read-only disk rather than lose what a finished training has brought."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Less than the silence after which a training counts as hung where its pace is not known (1 h).
PATIENCE_SECONDS = 1800.0
PAUSE_SECONDS = 0.5

_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_LITTLE_BYTES = 2**16


def written(what: str, folder: Path, check: Callable[[], None], write: Callable[[], T]) -> T:
    """Return what `write` returns; where the disk is full or read-only, wait and write again.

    Args:
        what: Named to people.
        folder: Where it is written to.
        check: Called before each new try: says that the training is well, and leaves the process if
            its attempt is superseded.
        write: May leave a half written file behind when it raises: the next try replaces it, and
            until then the disk is seen to be full.

    Raises:
        Exception: What `write` raised for another reason, or after half an hour.
    """
    deadline, is_told = time.monotonic() + PATIENCE_SECONDS, False
    while True:
        try:
            return write()
        except Exception as error:  # libraries wrap what the system said in errors of their own
            if not _is_for_room(error, folder) or time.monotonic() > deadline:
                raise
            if not is_told:
                print(f"pushtrain: {what} can not be written yet, waiting: {error}", flush=True)
            is_told = True
        time.sleep(PAUSE_SECONDS)
        check()


def _is_for_room(error: BaseException, folder: Path) -> bool:
    if isinstance(error, OSError) and error.errno in _PASSING:
        return True
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LITTLE_BYTES
