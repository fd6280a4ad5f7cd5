"""Keeps the late result of an older attempt aside, where nobody takes it for the round's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pushtrain.contract import LATE_DIR
from pushtrain.errors import StoreError

_RESULT = "result.json"


def put_aside(output: Path, attempt: int) -> None:
    """Move the result in an output folder to `late/<attempt>.json`; one that is gone is fine.

    User code can write there: a link in place of the folder is refused, it could lead anywhere.

    Args:
        output: The output folder of a round.
        attempt: The one that wrote the result.

    Raises:
        StoreError: It can not be moved.
    """
    try:
        with _opened(str(output)) as there:
            with contextlib.suppress(FileExistsError):
                os.mkdir(LATE_DIR, dir_fd=there)
            with _opened(LATE_DIR, there) as late:
                os.rename(_RESULT, f"{attempt}.json", src_dir_fd=there, dst_dir_fd=late)
    except FileNotFoundError:
        return
    except OSError as err:
        raise StoreError(f"{output}: a late result can not be put aside: {err.strerror}") from err


@contextlib.contextmanager
def _opened(folder: str, below: int | None = None) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=below)
    try:
        yield handle
    finally:
        os.close(handle)
