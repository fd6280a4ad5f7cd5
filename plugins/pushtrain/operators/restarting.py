"""The task `plan_restarts` of the monitor: what is started again, and what is given up."""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import Any

from docker import APIClient

from pushtrain import settings
from pushtrain.adapters import engine
from pushtrain.adapters.ending import attempts_of, end_hung, fence
from pushtrain.adapters.store import Store
from pushtrain.contract import Attempt, Cause, Experiment, State, Step
from pushtrain.errors import OutsideError, StoreError
from pushtrain.operators.fetching import run_of
from pushtrain.operators.notifying import notify_given_up, notify_restart
from pushtrain.rules.outcomes import deciding_attempt
from pushtrain.rules.restart import GiveUp, LeaveOut, Restart, decide_batch, how_it_ended
from pushtrain.rules.watch import Finding, Trouble, has_to_wait
from pushtrain.settings import Settings

log = logging.getLogger(__name__)


def plan_restarts(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fence what is in trouble and decide for each training whether it starts again.

    It keeps nothing of its own. Killed at any point and run again it does what is missing: an
    attempt's end, a move to the next attempt and a mail are each on record once, and a run that
    is asked for twice is refused by its id. A finding that is out of date (the experiment has
    moved on since) is passed over, so two monitors, or a monitor and a person, start nothing
    twice.

    Returns:
        The arguments of TriggerDagRunOperator, one item per restart.

    Raises:
        OutsideError: The engine does not answer: without it nobody can prove a container dead.
    """
    config = settings.load()
    store = Store(config.store_path)
    steps: list[Step] = []
    unreachable: OutsideError | None = None
    for finding in map(Finding.from_dict, findings):
        try:
            step = _plan(config, store, finding)
        except StoreError as err:  # damaged records of one experiment do not stop the others
            log.error("%s: left as it is: %s", finding.step.run_id, err)
        except OutsideError as err:
            log.error("%s: left for the next look: %s", finding.step.run_id, err)
            unreachable = err
        except Exception:  # whatever one script left behind: the others are started all the same
            log.exception("%s: left as it is", finding.step.run_id)
        else:
            steps += [step] if step else []
    if unreachable and not steps:
        raise unreachable
    return [run_of(store, step) for step in steps]


def _plan(config: Settings, store: Store, finding: Finding) -> Step | None:
    """Return the step to start, None if there is none."""
    experiment = store.experiment(finding.step.experiment)
    if experiment.settled:
        log.info("%s: out of date", finding.step.run_id)
        return None
    log.info("%s %s: %s", finding.step.run_id, finding.trouble, finding.message)
    if experiment.step != finding.step or finding.trouble is Trouble.LOST:
        return _started_again(config, store, experiment, finding)
    if experiment.state is State.FAILED:  # who gave it up died before its people were told
        _give_up(config, store, experiment.step)
        return None
    with engine.clear_errors(config.docker_url):
        api = APIClient(base_url=config.docker_url, version="auto")
        if finding.trouble is Trouble.HUNG:
            # its own task sees the end and fails, and the next look finds it dead
            for number in finding.rounds or (finding.step.round,):
                end_hung(api, config, store, dataclasses.replace(finding.step, round=number))
            return None
        trainings = fence(api, config, store, finding.step)
    return _decide(config, store, finding.step, trainings)


def _decide(
    config: Settings, store: Store, step: Step, trainings: dict[int, list[Attempt]]
) -> Step | None:
    """Move an experiment on to its next attempt, or give it up."""
    verdict = _decided(config, store, step, trainings)
    if isinstance(verdict, GiveUp):
        if store.move_on(step, state=State.FAILED, reason=verdict.reason):
            _give_up(config, store, step)
        return None
    if has_to_wait(verdict, time.time()):
        log.info("%s: waits until its backoff is over", step.run_id)
        return None
    restarts = store.experiment(step.experiment).restarts + 1
    moved = store.move_on(step, attempt=step.attempt + 1, restarts=restarts)
    if moved is None:
        log.info("%s: somebody was faster", step.run_id)
        return None
    _announce(config, store, moved.step, verdict.reason, trainings)
    return moved.step


def _give_up(config: Settings, store: Store, step: Step) -> None:
    notify_given_up(config, store, step)
    store.move_on(step, settled=True)


def _started_again(
    config: Settings, store: Store, experiment: Experiment, finding: Finding
) -> Step | None:
    """Return a step that has to be started as it is, None if the finding is out of date.

    Such a step has no run, or was decided upon by a monitor that died before it could be started:
    then its people may not have been told, either.
    """
    step, found = experiment.step, finding.step
    is_next = step == dataclasses.replace(found, attempt=found.attempt + 1)
    is_lost = step == found and finding.trouble is Trouble.LOST
    batch = store.batch(step)
    has_begun = any(store.attempt(s.experiment, s.round, s.attempt) for s in batch)
    if not is_lost and (has_begun or not is_next):
        log.info("%s: out of date", found.run_id)
        return None
    if step.attempt > 1 and not has_begun:
        trainings = {s.round: attempts_of(store, s) for s in batch}
        ended = [a[-1] for n, a in trainings.items() if a and not deciding_attempt(n, a)]
        last = ended or [a[-1] for a in trainings.values() if a]
        # none where the records of older attempts are gone; a person who resumed it knows of it
        if last and not last[0].forgiven:
            _announce(config, store, step, how_it_ended(last[0]), trainings)
    # its task takes over a container that is there
    return step


def _announce(
    config: Settings,
    store: Store,
    step: Step,
    reason: str,
    trainings: dict[int, list[Attempt]],
) -> None:
    unfinished = [n for n, attempts in trainings.items() if not deciding_attempt(n, attempts)]
    notify_restart(config, store, step, reason, unfinished)


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
