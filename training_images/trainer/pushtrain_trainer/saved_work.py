"""Tells Airflow's side what is saved beyond finished epochs and fits.

A start that saves more than the one before has made progress, so it is not given up.
"""

from __future__ import annotations

from pathlib import Path

from pushtrain_trainer.contract import SCHEMA, WORK_FILE
from pushtrain_trainer.durable_files import read_json, write_json


class SavedWork:
    """Amounts by kind, in units of an epoch or a fit; their sum is added to the finished ones.

    Args:
        output: The output folder.
    """

    def __init__(self, output: Path) -> None:
        self._file = output / WORK_FILE

    def put(self, kind: str, amount: float) -> None:
        """Replace the amount of a kind.

        Args:
            kind: Such as `epoch`: the part of the epoch under way that is in a checkpoint.
            amount: 0 or more; 0 once it counts elsewhere.

        Raises:
            OSError: The file could not be written.
        """
        amounts = self._amounts()
        if amounts.get(kind, 0.0) == amount:
            return
        amounts[kind] = amount
        write_json(self._file, {"schema": SCHEMA, "work": amounts}, durable=False)

    def amount(self, kind: str) -> float:
        """Return what was put last, also by an attempt before; 0 before the first."""
        return self._amounts().get(kind, 0.0)

    def _amounts(self) -> dict[str, float]:
        known = read_json(self._file)
        work = known.get("work") if isinstance(known, dict) else None
        return dict(work) if isinstance(work, dict) else {}
