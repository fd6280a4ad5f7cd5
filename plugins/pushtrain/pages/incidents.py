"""What went wrong with a training and how it went on: each attempt that did not end as meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pushtrain.contract import Attempt, Cause
from pushtrain.details import ExperimentDetails, RoundDetails
from pushtrain.rules.causes import MEANT, cut_short
from pushtrain.rules.progress import lost_by, place_of, saved_by

_STACK_LINES = 30


@dataclass(frozen=True)
class Incident:
    """One attempt that did not end as it was meant to.

    Attributes:
        story: What happened, where the training stood, what was saved, and how it went on.
        at: When it ended; Unix time.
        is_late: Whether its result came after its end, and was set aside.
        traceback: Of the script's own error; empty for none.
        stack: Where its threads stood when it hung; empty for none.
    """

    attempt: int
    cause: Cause
    story: str
    at: float
    is_late: bool = False
    traceback: str = ""
    stack: str = ""


def incidents_of(details: RoundDetails) -> tuple[Incident, ...]:
    """Return what went wrong in a round, in order."""
    return tuple(
        Incident(
            attempt=attempt.number,
            cause=attempt.cause,
            story=_story(details.attempts[: n + 1], following),
            at=attempt.ended_at,
            is_late=attempt.number in details.late,
            traceback=details.tracebacks.get(attempt.number, ""),
            stack=last_lines(details.stacks.get(attempt.number, "")),
        )
        for n, (attempt, following) in enumerate(_with_following(details.attempts))
        if attempt.ended_at is not None and attempt.cause is not None and attempt.cause not in MEANT
    )


def ends_by_cause(attempts: Iterable[Attempt]) -> dict[str, int]:
    """Return how often attempts ended for each cause, those that ended as meant left out."""
    return {str(c): n for c, n in cut_short(attempts).items()}


def told_ends(ends: Mapping[str, int]) -> str:
    """Return such counts in words: `2 killed, 1 hung`; empty for none."""
    return ", ".join(f"{count} {cause}" for cause, count in ends.items())


def all_attempts(details: ExperimentDetails) -> list[Attempt]:
    """Return the attempts of all rounds."""
    return [attempt for one in details.rounds for attempt in one.attempts]


def last_lines(text: str, most: int = _STACK_LINES) -> str:
    """Return the end of a text."""
    lines = text.rstrip().splitlines()
    return "\n".join(lines[-most:])


def _story(attempts: Sequence[Attempt], following: Attempt | None) -> str:
    attempt = attempts[-1]
    parts = [f"attempt {attempt.number}: {attempt.cause}"]
    if attempt.message:
        parts.append(f", {attempt.message}")
    place = place_of(attempt.reached)
    if place:
        parts.append(f", in {place}")
    saved, lost = saved_by(attempts), lost_by(attempt)
    if saved or place:
        parts.append(f"; saved: {saved}" if saved else "; nothing was saved")
    if lost and saved:
        parts.append(f", {lost}")
    if following is not None:
        wait = max(0.0, following.started_at - (attempt.ended_at or following.started_at))
        hand = "resumed by hand" if attempt.forgiven and not following.forgiven else "went on"
        parts.append(f"; {hand} {wait:.0f} s later as attempt {following.number}")
    return "".join(parts)


def _with_following(attempts: Sequence[Attempt]) -> Iterable[tuple[Attempt, Attempt | None]]:
    return zip(attempts, [*attempts[1:], None], strict=False)
