"""What custom training loops did in this attempt and the ones before, and what they saved."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushtrain_trainer.contract import SCHEMA
from pushtrain_trainer.durable_files import read_json, write_json
from pushtrain_trainer.saved_work import SavedWork

if TYPE_CHECKING:
    from pushtrain_trainer.run_state import Run

PATHS_KEPT = 100
STARTS_AGAIN = "a custom training loop starts again from its beginning"
GOES_ON = "a custom training loop goes on from the script's own checkpoint"
NOT_ALL = "what a custom training loop does not save itself can not be restored"


class LoopRecord:
    """Remembers from attempt to attempt that a loop began, and which files the script saved.

    Nothing here may stop a training: what fails is told once.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._file = run.checkpoints / "loop.json"
        known = read_json(self._file)
        known = known if isinstance(known, dict) else {}
        self._began = int(known.get("began", 0))
        self._before = self._saves = int(known.get("saves", 0))
        self._paths: list[str] = list(known.get("paths", ()))
        self._goes_on = False
        self._count = 0

    def begin(self) -> None:
        """Note that a loop runs, and how it began if an earlier attempt was at it, too."""
        if self._goes_on:
            self._run.note(GOES_ON)
            self._run.resumed = True
            self._run.note_inexact(NOT_ALL)
        elif 0 < self._began < self._run.attempt:
            self._run.note(STARTS_AGAIN)
        self._began = self._run.attempt
        self._write()

    def saved(self, path: Any) -> None:
        """Count a save of the script's; more of them than ever before is progress."""
        self._count += 1
        self._paths = [*self._paths, _absolute(path)][-PATHS_KEPT:]
        self._saves = max(self._saves, self._count + (self._before if self._goes_on else 0))
        self._write()
        self._told(lambda: SavedWork(self._run.output).put("saves", self._saves))

    def restored(self, path: Any) -> None:
        """Note that the script read a file; it goes on if an earlier attempt saved that one."""
        if self._count == 0 and _absolute(path) in self._paths:
            self._goes_on = True

    def _write(self) -> None:
        known = {"began": self._began, "saves": self._saves, "paths": self._paths}
        self._told(lambda: write_json(self._file, {"schema": SCHEMA, **known}, durable=False))

    def _told(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._run.note(f"what a custom training loop saved could not be noted: {error}")


def _absolute(path: Any) -> str:
    return str(Path(os.fsdecode(path)).absolute())
