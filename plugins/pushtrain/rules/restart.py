"""Whether a training that ended early is started again, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pushtrain.contract import Attempt, Cause, Step

# Seconds before the first, second, ... start in a row without progress; the last one repeats.
BACKOFF_SECONDS = (0.0, 10.0, 30.0, 90.0)

# The same container would end the same way.
REPEATS_ITSELF = frozenset({Cause.NO_METRIC, Cause.OUT_OF_MEMORY})

# Not the training's fault: never charged to the limit, but still slowed down.
NOT_CHARGED = frozenset({Cause.HOST_LOST})


@dataclass(frozen=True)
class Restart:
    """Start the next attempt, not before `not_before` (Unix time)."""

    not_before: float
    reason: str


@dataclass(frozen=True)
class GiveUp:
    """Do not start it again."""

    reason: str


def decide(attempts: Sequence[Attempt], limit: int) -> Restart | GiveUp:
    """Judge the attempts of a round whose last one ended without a usable result.

    Restarts go on as long as they make progress (finished epochs). An error of the script is
    repeated only if the attempt before it had got further than the one before that.

    Args:
        attempts: In order, at least one, the last one ended.
        limit: Starts in a row without progress that are allowed.
    """
    last = attempts[-1]
    cause = last.cause or Cause.LOST
    said = f"attempt {last.number} ended: {cause}" + (f" ({last.message})" if last.message else "")
    if cause is Cause.STOPPED:
        return GiveUp(said)
    if cause in REPEATS_ITSELF:
        return GiveUp(f"{said}; the same start would end the same way")
    idle = starts_without_progress(attempts)
    if cause is Cause.SCRIPT_ERROR and idle:
        return GiveUp(said)
    charged = sum(a.cause not in NOT_CHARGED for a in attempts[len(attempts) - idle :])
    if charged >= limit:
        return GiveUp(f"{said}; {charged} starts in a row brought no finished epoch")
    wait = BACKOFF_SECONDS[min(idle, len(BACKOFF_SECONDS) - 1)]
    return Restart((last.ended_at or last.started_at) + wait, said)


def is_closed(attempts: Sequence[Attempt], step: Step) -> bool:
    """Tell whether the step's attempt is on record with its end."""
    return any(a.number == step.attempt and a.ended_at is not None for a in attempts)


def starts_without_progress(attempts: Sequence[Attempt]) -> int:
    """Return how many of the last attempts in a row finished no epoch."""
    before = [0, *(a.epochs for a in attempts)]
    idle = 0
    for attempt, earlier in reversed(list(zip(attempts, before, strict=False))):
        if attempt.epochs > earlier:
            break
        idle += 1
    return idle
