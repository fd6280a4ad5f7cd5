"""What the trainer said and saved in a round's output folder, read without trust."""

from __future__ import annotations

import logging
import math
import os

from pushtrain.adapters.curves import read_curves
from pushtrain.adapters.records import read_bytes, read_json, read_record
from pushtrain.adapters.store_places import StorePlaces
from pushtrain.contract import WORK_FILE, Heartbeat, Result
from pushtrain.errors import StoreError
from pushtrain.history import Curves

log = logging.getLogger(__name__)

# NaN or a negative number would win or lose every comparison of whoever judges a silence.
_COUNTED = ("attempt", "at", "fit", "epoch", "epochs", "batch", "pace", "batches", "memory_mib")
_MOST_WORK = 1e9  # epochs or fits that are saved and not yet finished; in truth it is a handful


class TrainingOutput(StorePlaces):
    """Reads the files of the output folders, all of which user code can write."""

    def heartbeat(self, experiment: str, round_number: int) -> Heartbeat | None:
        """Return what the trainer said last, None before its first word or if it is damaged."""
        path = self.output_dir(experiment, round_number) / "heartbeat.json"
        try:
            beat = read_record(path, Heartbeat)
        except StoreError as err:
            log.warning("%s", err)
            return None
        wrong = [n for n in _COUNTED if not 0 <= getattr(beat, n) < math.inf] if beat else []
        if wrong:
            log.warning("%s: no finite number of at least 0: %s", path, ", ".join(wrong))
            return None
        return beat

    def left_result(self, experiment: str, round_number: int) -> Result | None:
        """Return the result that lies in the output folder, whichever attempt wrote it.

        Raises:
            StoreError: The record is damaged.
        """
        path = self.output_dir(experiment, round_number) / "result.json"
        return read_record(path, Result)

    def finished_epochs(self, experiment: str, round_number: int) -> int:
        """Return how many epochs the round's curves hold; 0 before the first or if damaged."""
        try:
            raw = read_bytes(self.output_dir(experiment, round_number) / "history.csv") or b""
        except StoreError as err:
            log.warning("%s", err)
            return 0
        return max(0, raw.count(b"\n") - 1)

    def finished_work(self, experiment: str, round_number: int) -> int:
        """Return how far a round got, in what a restart does not do again.

        Those are the epochs of Keras and the records of scikit-learn's finished fits; user code
        can write both, so it is only counted.
        """
        records = self.output_dir(experiment, round_number) / "checkpoint" / "sklearn"
        try:
            names = os.listdir(records)
        except OSError:
            names = []
        fits = sum(name.endswith(".json") for name in names)
        return self.finished_epochs(experiment, round_number) + fits

    def saved_work(self, experiment: str, round_number: int) -> float:
        """Return `finished_work` with what is saved beyond it, such as a part of an epoch."""
        try:
            record = read_json(self.output_dir(experiment, round_number) / WORK_FILE) or {}
        except StoreError as err:
            log.warning("%s", err)
            record = {}
        amounts = record.get("work")
        values = amounts.values() if isinstance(amounts, dict) else ()
        # user code can write it: what is no amount counts for nothing
        extra = sum(v for v in values if isinstance(v, int | float) and 0 <= v <= _MOST_WORK)
        return self.finished_work(experiment, round_number) + extra

    def curves(self, experiment: str, round_number: int) -> Curves:
        """Return the curves of the fit that was logged last; empty if there is none."""
        try:
            raw = read_bytes(self.output_dir(experiment, round_number) / "history.csv") or b""
        except StoreError as err:
            log.warning("%s", err)
            return Curves()
        beat = self.heartbeat(experiment, round_number)
        return read_curves(raw, {beat.fit: beat.epochs} if beat else {})
