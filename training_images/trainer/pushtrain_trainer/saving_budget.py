"""Decides when a save is worth its cost: at epoch ends while that is little, inside by time."""

from __future__ import annotations

import os

from pushtrain_trainer.contract import ENV_CHECKPOINT_SECONDS

DEFAULT_SECONDS = 60.0
SHARE = 0.015  # of the training time may be spent on saves at the ends of epochs
PATIENCE = 0.01  # of the training time may be waited until a save is on disk
CREDIT = 0.1  # seconds for both at the start, so that short trainings save at every epoch
BYTES_A_SECOND = 4e8  # what a processor copies, sums up and writes; corrected by the first save


def checkpoint_seconds() -> float:
    """Return the seconds between two saves inside an epoch; what can not be read is the default."""
    try:
        seconds = float(os.environ.get(ENV_CHECKPOINT_SECONDS) or DEFAULT_SECONDS)
    except ValueError:
        return DEFAULT_SECONDS
    return seconds if seconds > 0 else DEFAULT_SECONDS  # neither for NaN


class SavingBudget:
    """Account of what the saves of one fit have cost; times are seconds on one clock.

    Args:
        seconds: After this long a save is due whatever it costs.
        now: When the training began.
    """

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._started = now
        self._saved = now
        self._spent = 0.0
        self._waited = 0.0
        self._cost: float | None = None

    def is_overdue(self, now: float) -> bool:
        """Return whether more would be lost than the seconds that may be."""
        return now - self._saved >= self._seconds

    def is_affordable(self, now: float, size: int) -> bool:
        """Return whether one more save leaves its share of the time to the training.

        Args:
            now: The time.
            size: Bytes that it would write.
        """
        cost = size / BYTES_A_SECOND if self._cost is None else self._cost
        return self._spent + cost <= CREDIT + SHARE * (now - self._started)

    def patience(self, now: float) -> float:
        """Return how many seconds may be waited until a save is on disk."""
        return max(0.0, CREDIT + PATIENCE * (now - self._started) - self._waited)

    def note_save(self, now: float) -> None:
        """Note that the state of `now` is being saved."""
        self._saved = now

    def note_cost(self, seconds: float) -> None:
        """Note what a save took of the processor."""
        self._spent += seconds
        self._cost = seconds

    def note_wait(self, seconds: float) -> None:
        """Note that the training waited for a save."""
        self._waited += seconds
