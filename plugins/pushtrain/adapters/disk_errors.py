"""Says what a disk that is full, read-only or gone means, and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pushtrain.errors import OutsideError

_TOLD = {
    errno.ENOSPC: "the disk is full: make room on it",
    errno.EDQUOT: "the quota of its owner is used up: raise it, or make room",
    errno.EROFS: "the disk is read-only: mount it writable, its log may tell why it is not",
    errno.EIO: "the disk fails: see the log of its machine",
    errno.ESTALE: "its server has another disk there now: mount it again",
    errno.ENOENT: "its folder is gone: if the store is a disk of its own, mount it",
}


@contextmanager
def clear_disk_errors(path: Path) -> Iterator[None]:
    """Turn what a disk does to a writer into an error that a retry may not meet again.

    Args:
        path: What is written; named in the message.

    Raises:
        OutsideError: The disk is full, read-only, failing or not mounted.
    """
    try:
        yield
    except OSError as err:
        told = _TOLD.get(err.errno or 0)
        if told is None:
            raise
        raise OutsideError(f"{path}: can not be written, {told} ({err.strerror})") from err
