"""Which trainings need help: they died, hang or were lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pushtrain.contract import Attempt, Heartbeat, Step


class Trouble(StrEnum):
    """What is wrong with a training."""

    DIED = "died"  # its run ended, but the experiment did not
    HUNG = "hung"  # its run lives, but makes no progress
    LOST = "lost"  # Airflow knows no run of it


class RunState(StrEnum):
    """What Airflow says of a step's DAG run."""

    LIVE = "live"
    ENDED = "ended"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """A training that needs help."""

    step: Step
    trouble: Trouble
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"step": self.step.to_dict(), "trouble": self.trouble, "message": self.message}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """Build it from what `to_dict` returned."""
        return cls(Step.from_dict(data["step"]), Trouble(data["trouble"]), data["message"])


@dataclass(frozen=True)
class Limits:
    """Seconds (and a factor) after which silence means trouble; see Settings."""

    startup_seconds: float
    hang_factor: float
    quiet_seconds: float
    lost_seconds: float


def examine(
    step: Step,
    run: RunState,
    attempts: Sequence[Attempt],
    heartbeat: Heartbeat | None,
    changed_at: float,
    now: float,
    limits: Limits,
) -> Finding | None:
    """Judge an experiment that the store calls running.

    Args:
        step: The step that is under way.
        run: What Airflow says of the step's run.
        attempts: Of the step's round.
        heartbeat: Of the step's round; one of an older attempt is no sign of life.
        changed_at: When the experiment's record was changed last (Unix time).
        now: Unix time.
        limits: When silence means trouble.
    """
    attempt = next((a for a in attempts if a.number == step.attempt), None)
    if run is RunState.ENDED:
        return Finding(step, Trouble.DIED, _last_words(attempt))
    if run is RunState.MISSING:
        silent = now - changed_at
        if silent < limits.lost_seconds:
            return None
        return Finding(step, Trouble.LOST, f"no run of it for {silent:.0f} s")
    if attempt is None or attempt.ended_at is not None:
        return None
    return _hung(step, attempt, heartbeat, now, limits)


def _hung(
    step: Step, attempt: Attempt, heartbeat: Heartbeat | None, now: float, limits: Limits
) -> Finding | None:
    alive = heartbeat if heartbeat and heartbeat.attempt == attempt.number else None
    last = max(attempt.started_at, alive.at if alive else 0.0)
    allowed = limits.quiet_seconds
    # only a whole epoch shows the pace of everything in it: a script's callback may work for long
    # at the end of each epoch
    if alive and alive.phase == "fit" and alive.epoch > 1 and alive.pace > 0:
        allowed = max(limits.startup_seconds, limits.hang_factor * alive.pace)
    silent = now - last
    if silent <= allowed:
        return None
    return Finding(
        step, Trouble.HUNG, f"no progress for {silent:.0f} s, allowed are {allowed:.0f} s"
    )


def _last_words(attempt: Attempt | None) -> str:
    if attempt is None:
        return "its run ended before the training started"
    if attempt.ended_at is None:
        return "its run ended while the training was under way"
    return f"{attempt.cause}" + (f": {attempt.message}" if attempt.message else "")
