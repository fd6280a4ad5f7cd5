"""The heartbeat: written when work moves on, never by a thread that beats while work hangs."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pushtrain_trainer.contract import HEARTBEAT_FILE, Heartbeat
from pushtrain_trainer.durable_files import write_json

SECONDS_BETWEEN_WRITES = 1.0
RECENT_UNITS = 50


class Beat:
    """Keeps the heartbeat and writes it at most once a second.

    Args:
        output: The output folder.
        attempt: The number of this attempt.
        check: Called before each write; leaves the process if the attempt is superseded.
    """

    def __init__(self, output: Path, attempt: int, check: Callable[[], None]) -> None:
        self._file = output / HEARTBEAT_FILE
        self._check = check
        self._units: deque[float] = deque(maxlen=RECENT_UNITS)
        self._lock = threading.Lock()
        self._written = 0.0
        self._failed = False
        self.now = Heartbeat(attempt=attempt, at=time.time(), pid=os.getpid())

    def phase(self, name: str, **fields: Any) -> None:
        """Enter a phase; the time since the last progress is no unit of work."""
        self._move(time.time(), phase=name, **fields)

    def progress(self, **fields: Any) -> None:
        """Note that one unit of work (a batch, an epoch, a fit) has been done."""
        at = time.time()
        self._units.append(max(0.0, at - self.now.at))
        self._move(at, pace=round(max(self._units), 4), **fields)

    def write(self) -> None:
        """Write the heartbeat now, whenever the last write was."""
        self._written = time.monotonic()
        self._check()
        try:
            write_json(self._file, self.now.to_dict(), durable=False)
            self._failed = False
        except OSError as error:
            if not self._failed:
                print(f"pushtrain: the heartbeat can not be written: {error}", flush=True)
            self._failed = True

    def _move(self, at: float, **fields: Any) -> None:
        # Keras may call from its own threads; a beat that is under way is as good as this one
        if not self._lock.acquire(blocking=False):
            return
        try:
            self.now = replace(self.now, at=at, **fields)
            if time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES:
                self.write()
        finally:
            self._lock.release()
