"""Stops an attempt that a newer one has taken the place of."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pushtrain_trainer.contract import ATTEMPT_FILE, ExitCode
from pushtrain_trainer.durable_files import read_json


class Fence:
    """Reads which attempt owns the output folder; Airflow's side writes it there."""

    def __init__(self, output: Path, attempt: int) -> None:
        self._file = output / ATTEMPT_FILE
        self._attempt = attempt

    def owner(self) -> int:
        """Return the number of the attempt that owns the folder, ours where nothing is said."""
        try:
            said = read_json(self._file)
        except OSError:
            return self._attempt
        number = said.get("attempt") if isinstance(said, dict) else None
        return number if isinstance(number, int) else self._attempt

    def check(self, aside: Path | None = None) -> None:
        """Leave the process if a newer attempt owns the folder.

        Args:
            aside: A file that is removed then: nobody will ever want it.
        """
        owner = self.owner()
        if owner <= self._attempt:
            return
        if aside is not None:
            aside.unlink(missing_ok=True)
        print(f"pushtrain: attempt {owner} took over, attempt {self._attempt} stops", flush=True)
        sys.stderr.flush()
        # not SystemExit: a script that catches everything must not go on writing
        os._exit(ExitCode.SUPERSEDED)
