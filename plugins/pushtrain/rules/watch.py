"""Which trainings need help: they died, hang or were lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pushtrain.contract import Attempt, Heartbeat, Step
from pushtrain.rules.outcomes import deciding_attempt, told
from pushtrain.rules.plain_text import one_line
from pushtrain.rules.restart import BACKOFF_SECONDS, Restart

# Seconds after which a restart that was decided, but whose run nobody started, is started again:
# the monitor that decided it starts it within moments, or has died in between.
DECIDED_SECONDS = 10.0

# Steps of a custom loop before which its pace says nothing: the first ones build graphs.
LOOP_STEPS = 5


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
    """A step that needs help.

    Attributes:
        step: What its run was started for.
        rounds: Those of its rounds that hang; empty for the other troubles, which are the run's.
    """

    step: Step
    trouble: Trouble
    message: str
    rounds: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "step": self.step.to_dict(),
            "trouble": self.trouble,
            "message": self.message,
            "rounds": list(self.rounds),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """Build it from what `to_dict` returned."""
        step, trouble = Step.from_dict(data["step"]), Trouble(data["trouble"])
        return cls(step, trouble, data["message"], tuple(data.get("rounds", ())))


@dataclass(frozen=True)
class Training:
    """One round of a step, with its attempts and what its trainer said last.

    Attributes:
        heartbeat: One of an older attempt is no sign of life.
    """

    round: int
    attempts: Sequence[Attempt]
    heartbeat: Heartbeat | None = None


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
    trainings: Sequence[Training],
    changed_at: float,
    now: float,
    limits: Limits,
) -> Finding | None:
    """Judge an experiment that the store calls running.

    Args:
        step: The step that is under way.
        run: What Airflow says of the step's run.
        trainings: The rounds that the step trains side by side.
        changed_at: When the experiment's record was changed last (Unix time).
        now: Unix time.
        limits: When silence means trouble.
    """
    if run is RunState.ENDED:
        # it goes through Airflow's database
        return Finding(step, Trouble.DIED, one_line(_last_words(step, trainings)))
    if run is RunState.MISSING:
        silent = now - changed_at
        # A time from the future tells that the clock was set back. Nothing is started twice if it
        # was not: a run that is there is found by its id.
        if -limits.lost_seconds < silent < _lost_after(step, trainings, limits):
            return None
        since = f"for {silent:.0f} s" if silent > 0 else "since the clock was set back"
        return Finding(step, Trouble.LOST, f"no run of it {since}")
    hung = {t.round: said for t in trainings if (said := hang_of(step, t, now, limits))}
    if not hung:
        return None
    return Finding(step, Trouble.HUNG, "; ".join(hung.values()), tuple(hung))


def hang_of(step: Step, training: Training, now: float, limits: Limits) -> str:
    """Return why a training hangs, empty if it does not."""
    attempt, heartbeat = _attempt(step, training), training.heartbeat
    if attempt is None or attempt.ended_at is not None:
        return ""
    alive = heartbeat if heartbeat and heartbeat.attempt == attempt.number else None
    last = max(attempt.started_at, alive.at if alive else 0.0)
    if alive and attempt.started_at > now:
        last = alive.at  # the clock was set back: a start in the future tells nothing
    allowed = _allowed(alive, last - attempt.started_at, limits) if alive else limits.quiet_seconds
    silent = now - last
    if silent <= allowed:
        return ""
    return f"no progress for {silent:.0f} s, allowed are {allowed:.0f} s"


def _allowed(beat: Heartbeat, ran: float, limits: Limits) -> float:
    """Return how many seconds a training may be silent after what it said last.

    Args:
        beat: What it said last.
        ran: Seconds from the start of the attempt to its last progress.
        limits: Silence is a hang after many times its own pace, where that is known.
    """
    by_pace = max(limits.startup_seconds, limits.hang_factor * beat.pace)
    if beat.pace > 0 and beat.phase == "fit" and (beat.epoch > 1 or 0 < beat.batch < beat.batches):
        # Past the first epoch the pace is that of whole epochs: a script's callback may work for
        # long at the end of each. Before it only the batches in the middle can be judged.
        return by_pace
    if beat.pace > 0 and beat.phase == "loop" and beat.batch >= LOOP_STEPS:
        # Nobody sees where the epochs of a custom loop end. What it does between two of them is
        # shorter than all that came before, or as long as any script may be silent.
        return max(by_pace, min(ran, limits.quiet_seconds))
    return limits.quiet_seconds


def _lost_after(step: Step, trainings: Sequence[Training], limits: Limits) -> float:
    has_begun = any(_attempt(step, t) for t in trainings)
    if not has_begun and _is_restart(trainings):
        return min(limits.lost_seconds, DECIDED_SECONDS)
    return limits.lost_seconds


def _is_restart(trainings: Sequence[Training]) -> bool:
    """Tell whether a monitor decided upon a step that has not begun, and not a person.

    What a person takes up again has a run of its own on the way, which starts the step. All that
    led to it is forgiven, or has ended for good.
    """
    return any(
        t.attempts and not t.attempts[-1].forgiven and not deciding_attempt(t.round, t.attempts)
        for t in trainings
    )


def has_to_wait(restart: Restart, now: float) -> bool:
    """Tell whether a restart's time has not come; after a clock was set back it has."""
    return 0 < restart.not_before - now <= max(BACKOFF_SECONDS)


def _attempt(step: Step, training: Training) -> Attempt | None:
    return next((a for a in training.attempts if a.number == step.attempt), None)


def _last_words(step: Step, trainings: Sequence[Training]) -> str:
    """Return how those rounds ended that did not end well; of several each with its number."""
    open_ones = [t for t in trainings if not deciding_attempt(t.round, t.attempts)]
    said = {t.round: _words(_attempt(step, t)) for t in open_ones or trainings[:1]}
    if len(trainings) == 1:
        return next(iter(said.values()))
    return "; ".join(f"round {number}: {words}" for number, words in said.items())


def _words(attempt: Attempt | None) -> str:
    if attempt is None:
        return "its run ended before the training started"
    if attempt.ended_at is None:
        return "its run ended while the training was under way"
    return told(attempt)
