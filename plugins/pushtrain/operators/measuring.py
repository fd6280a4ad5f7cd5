"""The tasks `collect_metrics` and `below_target`: what a round brought, and whether to go on."""

from __future__ import annotations

import logging
import time

from pushtrain import settings
from pushtrain.adapters.store import Store
from pushtrain.contract import State, Step
from pushtrain.errors import StoreError
from pushtrain.rules.budget import best, verdict

log = logging.getLogger(__name__)


def collect_metrics(step: Step) -> dict[str, float | int | str]:
    """Read the round's result record and keep the best round so far.

    Raises:
        StoreError: The record is missing or damaged.
    """
    store = Store(settings.load().store_path)
    result = store.result(step.experiment, step.round)
    if result is None or result.accuracy is None:
        raise StoreError(f"{step.run_id}: the training left no accuracy")
    top = best(store.rounds(step.experiment))
    if top:
        store.update_experiment(step.experiment, best_round=top.round, best_accuracy=top.accuracy)
    log.info("round %d: accuracy %.4f (%s)", step.round, result.accuracy, result.split)
    return {"accuracy": result.accuracy, "split": str(result.split), "round": step.round}


def below_target(step: Step) -> bool:
    """Tell whether the loop goes on; if not, the experiment's state says why."""
    store = Store(settings.load().store_path)
    experiment = store.experiment(step.experiment)
    if experiment.round > step.round:
        return True  # a task that a person cleared: the loop went on long ago
    rounds = [r for r in store.rounds(step.experiment) if r.round <= step.round]
    state, reason = verdict(experiment, rounds, time.time())
    log.info("%s: %s", state, reason)
    if state is not State.RUNNING:
        store.update_experiment(step.experiment, state=state, reason=reason)
    return state is State.RUNNING
