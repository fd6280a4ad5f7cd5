"""The tasks `collect_metrics` and `below_target`: what a round brought, and whether to go on."""

from __future__ import annotations

import logging
import time

from airflow.sdk.exceptions import AirflowFailException

from pushtrain import settings
from pushtrain.adapters.store import Store
from pushtrain.contract import State, Step
from pushtrain.errors import StoreError
from pushtrain.history import RoundOutcome
from pushtrain.operators.notifying import give_up
from pushtrain.rules.budget import best, verdict
from pushtrain.rules.memory import needs_more

log = logging.getLogger(__name__)


def collect_metrics(step: Step) -> dict[str, float | int | str]:
    """Read what the step's rounds brought and keep the best round so far.

    Returns:
        Accuracy, split and number of the best of them; only the first number if none has any.

    Raises:
        StoreError: A record is missing or damaged.
    """
    store = Store(settings.load().store_path)
    numbers = {one.round for one in store.batch(step)}
    rounds = store.rounds(step.experiment)
    batch = [r for r in rounds if r.round in numbers]
    for outcome in batch:
        log.info("round %d: %s", outcome.round, _told(outcome))
        if outcome.accuracy is None and not (outcome.failure or outcome.hopeless):
            store.result(step.experiment, outcome.round)  # a damaged one says what is wrong
            raise StoreError(
                f"{step.run_id}: the training of round {outcome.round} left no accuracy"
            )
    top = best(rounds)
    if top:
        store.update_experiment(step.experiment, best_round=top.round, best_accuracy=top.accuracy)
    reached = best(batch)
    if reached is None or reached.accuracy is None:
        return {"round": step.round}
    return {"accuracy": reached.accuracy, "split": str(reached.split), "round": reached.round}


def _told(outcome: RoundOutcome) -> str:
    if outcome.accuracy is not None:
        return f"accuracy {outcome.accuracy:.4f} ({outcome.split})"
    return outcome.failure or ("stopped early" if outcome.hopeless else "no accuracy")


def below_target(step: Step) -> bool:
    """Tell whether the loop goes on; if not, the experiment's state says why.

    Raises:
        AirflowFailException: It ends without a single result: memory ran out in all rounds.
    """
    config = settings.load()
    store = Store(config.store_path)
    experiment = store.experiment(step.experiment)
    if experiment.round > step.round:
        return True  # a task that a person cleared: the loop went on long ago
    last = store.batch(step)[-1].round
    rounds = [r for r in store.rounds(step.experiment) if r.round <= last]
    state, reason = verdict(experiment, rounds, time.time())
    log.info("%s: %s", state, reason)
    if state is not State.RUNNING and best(rounds) is None:
        why = needs_more(experiment, rounds, str(state))
        give_up(config, store, step, why)
        raise AirflowFailException(why)
    if state is not State.RUNNING:
        store.update_experiment(step.experiment, state=state, reason=reason)
    return state is State.RUNNING
