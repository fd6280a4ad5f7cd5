"""The note on a DAG run: what it trains, in the line that Airflow shows beside it."""

from __future__ import annotations

from collections.abc import Sequence

from pushtrain.contract import Attempt, Cause, Experiment, Step
from pushtrain.history import Tweak
from pushtrain.rules.plain_text import one_line
from pushtrain.rules.progress import saved_by

# Airflow's API refuses notes of more than 1000 characters, and nobody reads them.
_LONGEST = 500
_LONGEST_CAUSE = 200


def run_note(
    experiment: Experiment, step: Step, tweaks: Sequence[Tweak], before: Sequence[Attempt] = ()
) -> str:
    """Return the note of a step: `round 3: Dense 32 -> 64, accuracy 0.87 of 0.90 so far`.

    Args:
        experiment: As it stands.
        step: What the run is about.
        tweaks: What made the rounds that it trains side by side; none for round 0.
        before: The attempts that it goes on from, in order; none for the first.
    """
    last = tweaks[-1].round if tweaks else step.round
    rounds = f"round {step.round}" if last == step.round else f"rounds {step.round} to {last}"
    what = "; ".join(t.summary for t in tweaks) or "the script as pushed"
    best = experiment.best_accuracy
    target = experiment.settings.target_accuracy
    so_far = "" if best is None else f", accuracy {best:.4g} of {target:.4g} so far"
    note = f"{rounds}: {what}{so_far}"
    if step.attempt > 1:
        note = f"attempt {step.attempt}{_why(before)}. {note[:1].upper()}{note[1:]}"
    line = one_line(note)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def _why(attempts: Sequence[Attempt]) -> str:
    """Return from where it goes on, and how the attempt before ended.

    Such as `: goes on after 7 of 10 epochs; attempt 2 hung (no progress for 130 s)`.
    """
    before = attempts[-1] if attempts else None
    if before is None or before.cause in (None, Cause.FINISHED):  # it is gone on with
        return ""
    saved = saved_by(attempts)
    where = f"goes on after {saved}" if saved else "starts anew"
    hand = "resumed by hand, " if before.forgiven else ""
    code = f"exit code {before.exit_code}" if before.exit_code else ""
    said = before.message[:_LONGEST_CAUSE] or code
    ended = f"attempt {before.number} ended: {before.cause}"
    return f": {hand}{where}; {ended}{f' ({said})' if said else ''}"
