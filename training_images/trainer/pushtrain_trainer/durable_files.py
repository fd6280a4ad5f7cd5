"""Files that are either whole or not there: written aside, fsynced, renamed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any


def replace_file(
    path: Path,
    write: Callable[[IO[bytes]], object],
    *,
    durable: bool = True,
    before: Callable[[Path], None] | None = None,
) -> None:
    """Let `write` fill a file aside, then put it in the place of `path`.

    Args:
        path: The file to replace; its folder exists.
        write: Gets the open binary file.
        durable: Whether the content has to survive a power cut at once.
        before: Called with the file aside when all is written, but not yet in place.

    Raises:
        OSError: The file could not be written; `path` is as it was.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with aside.open("wb") as file:
            write(file)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        if before is not None:
            before(aside)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it lies in, where it is missing; it survives a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    # what is synced inside of it is lost with the folder's own name
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(
    path: Path, data: Any, *, durable: bool = True, before: Callable[[Path], None] | None = None
) -> None:
    """Replace `path` by `data` as JSON; see `replace_file`."""
    text = json.dumps(data, indent=1).encode()
    replace_file(path, lambda file: file.write(text), durable=durable, before=before)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, None if it is not there or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def sealed(body: Any) -> dict[str, Any]:
    """Return JSON data together with their SHA-256 sum, as `unsealed` takes them."""
    return {"sha256": _digest(body), "body": body}


def unsealed(content: Any) -> Any:
    """Return the data that `sealed` was given.

    Raises:
        ValueError: The sum differs.
        TypeError: The content is nothing sealed.
        KeyError: Likewise.
    """
    body = content["body"]
    if _digest(body) != content["sha256"]:
        raise ValueError("its sum differs")
    return body


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
