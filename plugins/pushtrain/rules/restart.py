"""Whether a training that ended early is started again, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushtrain.contract import Attempt, Cause, ExitCode, Step
from pushtrain.rules.causes import NOT_CHARGED
from pushtrain.rules.outcomes import deciding_attempt

# Seconds before the next start after none, one, two, ... starts in a row without progress; the
# last one repeats. A training that made progress goes on at once: most kills come once.
BACKOFF_SECONDS = (0.0, 10.0, 30.0, 90.0)

# The same container would end the same way.
REPEATS_ITSELF = frozenset({Cause.NO_METRIC, Cause.OUT_OF_MEMORY})


@dataclass(frozen=True)
class Restart:
    """Start the next attempt, not before `not_before` (Unix time)."""

    not_before: float
    reason: str


@dataclass(frozen=True)
class GiveUp:
    """Do not start it again."""

    reason: str


@dataclass(frozen=True)
class LeaveOut:
    """Go on without these rounds: what led to them is to blame, or others beside them ended well.

    Attributes:
        why: By round.
    """

    why: Mapping[int, str]


def decide_batch(
    trainings: Mapping[int, Sequence[Attempt]], limit: int
) -> Restart | GiveUp | LeaveOut:
    """Judge a step whose run ended early, though not all of its rounds did.

    Args:
        trainings: The attempts of each round that the step trains.
        limit: See `decide`.
    """
    over = {n for n, attempts in trainings.items() if deciding_attempt(n, attempts)}
    asked = [n for n in trainings if n not in over]
    if not asked:
        first = min(trainings)
        return decide(_behind(first, trainings[first]), limit)
    verdicts = {n: decide(trainings[n], limit) for n in asked}
    ended = {n: v for n, v in verdicts.items() if isinstance(v, GiveUp)}
    if not ended:
        starts = [v for v in verdicts.values() if isinstance(v, Restart)]
        return max(starts, key=lambda restart: restart.not_before)
    for number, verdict in ended.items():
        if not _may_be_left_out(number, trainings[number][-1], bool(over)):
            return verdict
    return LeaveOut({n: v.reason for n, v in ended.items()})


def _behind(number: int, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts of a round that is trained, for a run that died behind the training.

    How the training ended is no matter then: only the starts after it count.
    """
    last = deciding_attempt(number, attempts)
    if last is None:
        return list(attempts)
    later = [a for a in attempts if a.number > last.number]
    return [dataclasses.replace(last, cause=Cause.FINISHED), *later]


def _may_be_left_out(number: int, last: Attempt, has_others: bool) -> bool:
    if number == 0 or last.cause is Cause.STOPPED:
        return False
    # what was set wrong is wrong for the rounds to come, too
    return has_others or (last.cause is Cause.SCRIPT_ERROR and last.exit_code != ExitCode.USAGE)


def decide(attempts: Sequence[Attempt], limit: int) -> Restart | GiveUp:
    """Judge the attempts of a round whose last one ended without a usable result.

    Restarts go on as long as they make progress (finished epochs). An error of the script is
    repeated only if the attempt before it had got further than the one before that.

    Args:
        attempts: In order, at least one, the last one ended.
        limit: Starts in a row without progress that are allowed.
    """
    last = attempts[-1]
    cause, said = last.cause or Cause.LOST, how_it_ended(last)
    if cause is Cause.STOPPED:
        return GiveUp(said)
    if cause in REPEATS_ITSELF:
        return GiveUp(f"{said}; the same start would end the same way")
    idle = starts_without_progress(attempts)
    if cause is Cause.SCRIPT_ERROR and idle:
        return GiveUp(said)
    charged = sum(a.cause not in NOT_CHARGED for a in attempts[len(attempts) - idle :])
    if charged >= limit:
        return GiveUp(f"{said}; {charged} starts in a row saved no work")
    wait = BACKOFF_SECONDS[min(idle, len(BACKOFF_SECONDS) - 1)]
    return Restart((last.ended_at or last.started_at) + wait, said)


def how_it_ended(attempt: Attempt) -> str:
    """Return how an attempt ended, as the reason of what follows."""
    said = f"attempt {attempt.number} ended: {attempt.cause or Cause.LOST}"
    return f"{said} ({attempt.message})" if attempt.message else said


def is_closed(trainings: Mapping[int, Sequence[Attempt]], step: Step) -> bool:
    """Tell whether each round of a step is done, or its attempt is on record with its end."""
    return all(
        deciding_attempt(number, attempts)
        or any(a.number == step.attempt and a.ended_at is not None for a in attempts)
        for number, attempts in trainings.items()
    )


def starts_without_progress(attempts: Sequence[Attempt]) -> int:
    """Return how many of the last attempts in a row saved no work.

    Those before a resume by hand are forgiven: the count begins anew.
    """
    # a finished epoch is progress whatever else was saved
    work = [0.0, *(max(a.work, a.epochs) for a in attempts)]
    idle = 0
    for attempt, now, earlier in reversed(list(zip(attempts, work[1:], work, strict=False))):
        if now > earlier or attempt.forgiven:
            break
        idle += 1
    return idle
