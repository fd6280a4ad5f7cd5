"""When the loop of an experiment ends."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pushtrain.contract import Experiment, State
from pushtrain.history import RoundOutcome
from pushtrain.history import best as best  # the tuning picks its base by the same rule


def verdict(
    experiment: Experiment, rounds: Sequence[RoundOutcome], now: float
) -> tuple[State, str]:
    """Return whether the loop goes on (`RUNNING`), or how it ended, with the reason.

    Args:
        experiment: With its target and budget.
        rounds: All rounds so far, none of them under way.
        now: Unix time in seconds.
    """
    settings = experiment.settings
    top = best(rounds)
    accuracy = top.accuracy if top and top.accuracy is not None else 0.0
    reached = f"best accuracy {accuracy:.4f}, target {settings.target_accuracy:.4f}"
    if top and accuracy >= settings.target_accuracy:
        return State.REACHED, f"{reached}, in round {top.round}"
    if len(rounds) >= settings.max_rounds:
        return State.ROUNDS_USED_UP, f"{reached}, after {len(rounds)} rounds"
    hours = (now - experiment.created_at) / 3600
    if settings.max_hours is not None and hours >= settings.max_hours:
        return State.HOURS_USED_UP, f"{reached}, after {hours:.2f} hours"
    idle = rounds_without_gain(rounds)
    if idle >= settings.patience:
        return State.PATIENCE_USED_UP, f"{reached}, {idle} rounds without a better accuracy"
    return State.RUNNING, reached


def rounds_without_gain(rounds: Sequence[RoundOutcome]) -> int:
    """Return how many of the last rounds in a row brought no better accuracy than before.

    Rounds that trained side by side count as one: none of them knew of the others. Where memory
    ran out nothing was measured: that is a round of the budget, but none without gain.
    """
    top, idle = -1.0, 0
    for _, group in itertools.groupby(rounds, key=_batch_of):
        batch = list(group)
        if all(r.out_of_memory for r in batch):
            continue
        reached = max((r.accuracy for r in batch if r.accuracy is not None), default=-1.0)
        if reached > top:
            top, idle = reached, 0
        else:
            idle += 1
    return idle


def _batch_of(outcome: RoundOutcome) -> int:
    return outcome.round if outcome.batch is None else outcome.batch


def next_batch_size(candidates: int, max_rounds: int, trained: int) -> int:
    """Return how many rounds may train side by side next; every training counts as a round."""
    return max(1, min(candidates, max_rounds - trained))
