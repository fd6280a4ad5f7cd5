"""Where an attempt stood when it ended, what of it is kept, and what has to be done again."""

from __future__ import annotations

from collections.abc import Sequence

from pushtrain.contract import Attempt, Heartbeat

# Less of an epoch than this is not worth a word.
_NOTHING = 0.05


def place_of(beat: Heartbeat | None) -> str:
    """Return where a training stood: `epoch 3 of 10, batch 31 of 100`; empty if unknown."""
    if beat is None or not beat.epoch:
        return f"fit {beat.fit}" if beat and beat.fit else ""
    fit = f"fit {beat.fit}, " if beat.fit > 1 else ""
    epochs = f" of {beat.epochs}" if beat.epochs else ""
    batches = f" of {beat.batches}" if beat.batches else ""
    batch = f", batch {beat.batch}{batches}" if beat.batch else ""
    return f"{fit}epoch {beat.epoch}{epochs}{batch}"


def saved_by(attempts: Sequence[Attempt]) -> str:
    """Return what a further attempt does not do again: `3.4 of 10 epochs`; empty for nothing.

    Args:
        attempts: In order, the last one ended; one that was ended before its first epoch did not
            tell what its steps are, but one before it may have.
    """
    done = _done(attempts[-1]) if attempts else 0.0
    if done <= 0:
        return ""
    beats = (a.reached for a in reversed(attempts))
    beat = next((b for b in beats if b and b.epoch), None)
    unit = "epoch" if beat else "step"
    planned = f" of {beat.epochs}" if beat and beat.fit == 1 and beat.epochs >= done else ""
    return f"{done:.4g}{planned} {unit}{'' if done == 1 and not planned else 's'}"


def lost_by(attempt: Attempt) -> str:
    """Return what has to be trained again, in words; empty where nobody can tell."""
    beat = attempt.reached
    if beat is None or not beat.epoch or beat.fit != 1 or (beat.batch and not beat.batches):
        return ""
    trained = beat.epoch - 1 + (beat.batch / beat.batches if beat.batches else 0.0)
    lost = trained - _done(attempt)
    return f"{lost:.1f} epochs are trained again" if lost >= _NOTHING else "nothing was lost"


def _done(attempt: Attempt) -> float:
    return max(attempt.work, float(attempt.epochs))
