"""Puts a file in place whole or not at all, even where user code can write, too."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pushtrain.adapters.disk_errors import clear_disk_errors
from pushtrain.errors import StoreError


@contextmanager
def written_aside(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write to; at the end it is on the disk and takes the target's place.

    After an error nothing is left of it, and the target is as it was.

    Raises:
        StoreError: There is a folder of that name, which user code may have made.
        OutsideError: The disk is full, read-only or not there.
    """
    with clear_disk_errors(target), _aside(target) as file:
        yield file


@contextmanager
def _aside(target: Path) -> Iterator[BinaryIO]:
    # a name that nobody can guess, opened exclusively: where user code can write, it could have
    # put a link in the way
    handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    except IsADirectoryError as err:
        os.unlink(aside)
        raise StoreError(f"{target}: can not be written, a folder is in its place") from err
    except BaseException:
        os.unlink(aside)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
