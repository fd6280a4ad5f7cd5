"""The task `plan_restarts` of the monitor: what is started again, and what is given up."""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import Any

from docker import APIClient

from pushtrain import settings
from pushtrain.adapters import engine
from pushtrain.adapters.attempts import close_attempt, mark
from pushtrain.adapters.store import Store
from pushtrain.adapters.training_container import container_name, round_labels
from pushtrain.contract import Attempt, Cause, State, Step
from pushtrain.errors import StoreError
from pushtrain.operators.fetching import run_of
from pushtrain.operators.notifying import notify_given_up, notify_restart
from pushtrain.rules.outcomes import deciding_attempt
from pushtrain.rules.restart import GiveUp, LeaveOut, Restart, decide_batch
from pushtrain.rules.watch import Finding, Trouble
from pushtrain.settings import Settings

log = logging.getLogger(__name__)

_TAIL_LINES = 200


def plan_restarts(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fence what is in trouble and decide for each training whether it starts again.

    A finding that is out of date (the experiment has moved on since) is passed over, so two
    monitors, or a monitor and a person, start nothing twice.

    Returns:
        The arguments of TriggerDagRunOperator, one item per restart.

    Raises:
        OutsideError: The engine does not answer: without it nobody can prove a container dead.
    """
    config = settings.load()
    store = Store(config.store_path)
    planned = (_planned(config, store, Finding.from_dict(f)) for f in findings)
    return [run_of(store, step) for step in planned if step]


def _planned(config: Settings, store: Store, finding: Finding) -> Step | None:
    """Return the step to start; damaged records of one experiment do not stop the others."""
    try:
        return _plan(config, store, finding)
    except StoreError as err:
        log.error("%s: left as it is: %s", finding.step.run_id, err)
        return None


def _plan(config: Settings, store: Store, finding: Finding) -> Step | None:
    experiment = store.experiment(finding.step.experiment)
    if experiment.settled or experiment.step != finding.step:
        log.info("%s: out of date", finding.step.run_id)
        return None
    log.info("%s %s: %s", finding.step.run_id, finding.trouble, finding.message)
    if finding.trouble is Trouble.LOST:
        # the same step: its task takes over a container that is there
        return finding.step
    with engine.clear_errors(config.docker_url):
        api = APIClient(base_url=config.docker_url, version="auto")
        if finding.trouble is Trouble.HUNG:
            # its own task sees the end and fails, and the next look finds it dead
            for number in finding.rounds or (finding.step.round,):
                hung = dataclasses.replace(finding.step, round=number)
                mark(store, hung, Cause.HUNG, finding.message)
                engine.kill(api, container_name(config, hung))
            return None
        trainings = _fenced(api, config, store, finding.step)
    verdict = _decided(config, store, finding.step, trainings)
    if isinstance(verdict, GiveUp):
        store.update_experiment(experiment.id, state=State.FAILED, reason=verdict.reason)
        notify_given_up(config, store, finding.step)
        store.update_experiment(experiment.id, settled=True)
        return None
    if verdict.not_before > time.time():
        log.info("%s: waits until its backoff is over", finding.step.run_id)
        return None
    step = store.update_experiment(
        experiment.id, attempt=experiment.attempt + 1, restarts=experiment.restarts + 1
    ).step
    unfinished = [n for n, attempts in trainings.items() if not deciding_attempt(n, attempts)]
    notify_restart(config, store, step, verdict.reason, unfinished)
    return step


def _decided(
    config: Settings, store: Store, step: Step, trainings: dict[int, list[Attempt]]
) -> Restart | GiveUp:
    """Return what becomes of a step, once the rounds that it goes on without are marked."""
    verdict = decide_batch(trainings, config.restart_limit)
    while isinstance(verdict, LeaveOut):
        for number, why in verdict.why.items():
            log.warning("round %d is left out: %s", number, why)
            left = dataclasses.replace(trainings[number][-1], cause=Cause.LEFT_OUT, message=why)
            store.save_attempt(step.experiment, number, left)
            trainings[number][-1] = left
        verdict = decide_batch(trainings, config.restart_limit)
    return verdict


def _fenced(api: APIClient, config: Settings, store: Store, step: Step) -> dict[int, list[Attempt]]:
    """Prove the containers of a step's rounds dead and return their attempts, all of them ended."""
    batch = store.batch(step)
    for one in batch:
        attempt = store.attempt(one.experiment, one.round, one.attempt)
        if attempt and attempt.ended_at is None:
            name = container_name(config, one)
            engine.kill(api, name)
            tail = engine.last_lines(api, name, _TAIL_LINES)
            close_attempt(store, one, engine.end_of(api, name), tail)
        engine.remove_others(api, round_labels(config, one), keep="")
    waiting = [s for s in batch if not deciding_attempt(s.round, _attempts(store, s))]
    # where all are trained the run died behind them: that start counts, too
    for one in waiting or batch[:1]:
        if store.attempt(one.experiment, one.round, one.attempt) is None:
            before = _attempts(store, one)
            missed = _never_started(one, container_name(config, one), before)
            store.save_attempt(one.experiment, one.round, missed)
    return {one.round: _attempts(store, one) for one in batch}


def _attempts(store: Store, step: Step) -> list[Attempt]:
    return store.attempts(step.experiment, step.round)


def _never_started(step: Step, name: str, before: list[Attempt]) -> Attempt:
    now = time.time()
    return Attempt(
        number=step.attempt,
        run_id=step.run_id,
        container=name,
        image="",
        engine="",
        started_at=now,
        ended_at=now,
        cause=Cause.LOST,
        message="its run ended before the training started; see the run in Airflow",
        epochs=before[-1].epochs if before else 0,
        work=before[-1].work if before else 0.0,
    )
