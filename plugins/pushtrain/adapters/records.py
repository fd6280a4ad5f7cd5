"""JSON records on disk: whole or not at all, and read without trust in who wrote them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pushtrain.adapters.disk_errors import clear_disk_errors
from pushtrain.adapters.writing_aside import written_aside
from pushtrain.errors import StoreError
from pushtrain.record import Record

R = TypeVar("R", bound=Record)

# A result with a long traceback has some 100 KiB; user code can write into the output folder,
# so nothing is read without a limit.
MAX_BYTES = 16 * 2**20


def write_text(path: Path, text: str) -> None:
    """Write a file aside, fsync it, rename it into place and fsync the folder.

    Source text may hold bytes that are no UTF-8 as surrogates; they are written as they were.

    Of the folders that lead to it only the last one is made if it is missing: what is left of a
    store that is not mounted must stay empty.

    Raises:
        StoreError: There is a folder of that name, which user code may have made.
        OutsideError: The disk is full, read-only or not there.
    """
    with clear_disk_errors(path):
        path.parent.mkdir(exist_ok=True)
    with written_aside(path) as file:
        file.write(text.encode("utf-8", errors="surrogateescape"))


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as indented JSON, whole or not at all."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # half a character, which some text of user code may hold
            text = json.dumps(record, indent=1)
    write_text(path, text + "\n")


def read_bytes(path: Path) -> bytes | None:
    """Return the content of a regular file, None if there is none; links are not followed.

    Raises:
        StoreError: It is a link, no regular file, or larger than `MAX_BYTES`.
    """
    try:
        # NONBLOCK: opening a fifo that user code left must not wait for a writer
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise StoreError(f"{path}: can not be read as a plain file: {err.strerror}") from err
    try:
        # before the file object is made: it refuses folders with an error of its own
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_BYTES:
            raise StoreError(f"{path}: no plain file of at most {MAX_BYTES} bytes")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a record, None if there is none.

    Raises:
        StoreError: The file holds no JSON object; the message names it.
    """
    raw = read_bytes(path)
    if raw is None:
        return None
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError) as err:
        raise StoreError(f"{path}: holds no JSON: {err}") from err
    if not isinstance(record, dict):
        raise StoreError(f"{path}: holds {type(record).__name__}, not an object")
    return record


def read_record(path: Path, kind: type[R]) -> R | None:
    """Return a record as what it is, None if there is none.

    Raises:
        StoreError: The file holds no such record; the message names it.
    """
    data = read_json(path)
    return None if data is None else _made(path, kind, data)


def read_records(path: Path, field: str, kind: type[R]) -> list[R]:
    """Return the records that lie in a field of a file, none if there is no such file.

    Raises:
        StoreError: The file holds something else; the message names it.
    """
    found = (read_json(path) or {}).get(field, [])
    if not isinstance(found, list):
        raise StoreError(f"{path}: {field!r} holds {type(found).__name__}, not a list")
    return [_made(path, kind, data) for data in found]


def _made(path: Path, kind: type[R], data: Any) -> R:
    try:
        if not isinstance(data, Mapping):
            raise TypeError(f"it is of type {type(data).__name__}")
        return kind.from_dict(data)
    except (TypeError, ValueError) as err:
        raise StoreError(f"{path}: is no {kind.__name__.lower()}: {err}") from err
