"""Has a training that hangs say where it stands, and keeps what it says."""

from __future__ import annotations

import logging
import time

from docker import APIClient

from pushtrain.adapters.engine import find, send_signal
from pushtrain.adapters.records import read_bytes, write_text
from pushtrain.adapters.store import Store
from pushtrain.contract import STACK_FILE, STACK_SIGNAL, Step
from pushtrain.errors import StoreError

log = logging.getLogger(__name__)

_SECONDS = 3.0  # the trainer's handler is C code and needs some milliseconds
_LOOK_SECONDS = 0.1
_LONGEST = 2**20  # bytes; user code can write the file, too


def save_stack(api: APIClient, container: str, store: Store, step: Step, since: float) -> str:
    """Return where every thread of a training stands; it is kept as `Store.attempt_stack`.

    It is empty where none came: the process is stopped, or handles the signal itself.

    Args:
        api: The engine.
        container: Name of the training's container.
        store: With the step.
        step: The attempt that hangs.
        since: Unix time of its last progress; a stack that was kept after it is good.
    """
    kept = store.attempt_stack(step.experiment, step.round, step.attempt)
    if kept.is_file() and kept.stat().st_mtime > since:
        return kept.read_text(errors="replace")
    stack = _asked(api, container, store, step)
    if stack:
        write_text(kept, stack)
    return stack


def _asked(api: APIClient, container: str, store: Store, step: Step) -> str:
    """Signal a training and return the stack that it wrote then."""
    before = len(_written(store, step))
    if not send_signal(api, container, STACK_SIGNAL):
        return ""
    deadline, known = time.monotonic() + _SECONDS, before
    while time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        raw = _written(store, step)
        if len(raw) == known > before:
            return raw[before : before + _LONGEST].decode("utf-8", "replace")
        known = len(raw)
        record = find(api, container)
        if record is None or not record["State"]["Running"]:
            break
    return ""


def _written(store: Store, step: Step) -> bytes:
    try:
        return read_bytes(store.output_dir(step.experiment, step.round) / STACK_FILE) or b""
    except StoreError as err:
        log.warning("%s", err)
        return b""
