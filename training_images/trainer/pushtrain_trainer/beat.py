"""The heartbeat: written when work moves on, never by a thread that beats while work hangs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pushtrain_trainer.contract import HEARTBEAT_FILE, Heartbeat
from pushtrain_trainer.durable_files import write_json
from pushtrain_trainer.held_memory import HeldMemory

SECONDS_BETWEEN_WRITES = 1.0


class Beat:
    """Keeps the heartbeat and writes it at each new phase, else at most once a second.

    Args:
        output: The output folder.
        attempt: The number of this attempt.
        check: Called with the file that is about to be the heartbeat; leaves the process if the
            attempt is superseded.
    """

    def __init__(self, output: Path, attempt: int, check: Callable[[Path], None]) -> None:
        self._file = output / HEARTBEAT_FILE
        self._check = check
        self._slowest = 0.0
        self._whole = False  # whether this phase has seen an epoch with all that belongs to it
        self._lock = threading.Lock()
        self._memory = HeldMemory()
        self._written = 0.0
        self._failed = False
        self.now = Heartbeat(attempt=attempt, at=time.time(), pid=os.getpid())

    def phase(self, name: str, **fields: Any) -> None:
        """Enter a phase; the time since the last progress is no unit of work.

        Another phase has another pace, which is unknown at first. Entering it is written at once:
        a reader must not judge a long computation by the pace of the batches before it.
        """
        at = time.time()
        if name == self.now.phase:
            self._whole = self._whole or self.now.batch > 0  # the next epoch begins
            self._slowest = max(self._slowest, at - self.now.at)
            self._move(at, **fields)
            return
        self._slowest, self._whole = 0.0, False
        self._move(at, must_write=True, phase=name, pace=0.0, **fields)

    @property
    def is_due(self) -> bool:
        """Whether the next progress is written, so that it should come with its figures."""
        return time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES

    def progress(self, **fields: Any) -> None:
        """Note that one unit of work (a batch, an epoch, a fit) has been done."""
        at = time.time()
        # the slowest of all, not of the last ones: what a callback does at the end of an epoch
        # takes its time once an epoch only, and must not look like a hang the next time
        self._slowest = max(self._slowest, at - self.now.at)
        pace = 0.0 if self._is_in_the_open(fields) else round(self._slowest, 6)
        # that it is unknown now is written at once: a reader must not judge the first end of an
        # epoch by the pace of the batches before it
        self._move(at, must_write=not pace and self.now.pace > 0, pace=pace, **fields)

    def _is_in_the_open(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether a fit does what no epoch of it has shown yet: then its pace is unknown."""
        if self.now.phase != "fit" or self._whole:
            return False
        there = {"batch": self.now.batch, "batches": self.now.batches, **fields}
        return not 0 < there["batch"] < there["batches"]

    def waits(self) -> None:
        """Say at once that the trainer waits for something outside, and is well."""
        self._move(time.time(), must_write=True)

    def _write(self) -> None:
        self._written = time.monotonic()
        self.now = replace(self.now, memory_mib=self._memory.mib())
        try:
            # looks at the lease last: a process may be held at any moment before
            write_json(self._file, self.now.to_dict(), durable=False, before=self._check)
            self._failed = False
        except OSError as error:
            if not self._failed:
                print(f"pushtrain: the heartbeat can not be written: {error}", flush=True)
            self._failed = True

    def _move(self, at: float, *, must_write: bool = False, **fields: Any) -> None:
        # Keras calls from its own threads; a beat that is under way is as good as another batch's
        if not self._lock.acquire(blocking=must_write):
            return
        try:
            self.now = replace(self.now, at=at, **fields)
            if must_write or self.is_due:
                self._write()
        finally:
            self._lock.release()
