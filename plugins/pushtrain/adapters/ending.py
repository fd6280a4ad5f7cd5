"""Ends trainings from outside: those that hang, and those whose run is over."""

from __future__ import annotations

import dataclasses
import logging
import time

from docker import APIClient

from pushtrain.adapters import engine
from pushtrain.adapters.attempts import close_attempt, mark
from pushtrain.adapters.container_ends import end_of
from pushtrain.adapters.container_lines import last_lines
from pushtrain.adapters.hang_stacks import save_stack
from pushtrain.adapters.store import Store
from pushtrain.adapters.training_container import container_name, round_labels
from pushtrain.contract import STACK_SIGNAL, Attempt, Cause, Step
from pushtrain.rules.outcomes import deciding_attempt
from pushtrain.rules.stacks import last_frame
from pushtrain.rules.watch import Limits, Training, hang_of
from pushtrain.settings import Settings

log = logging.getLogger(__name__)

_TAIL_LINES = 200
_SECONDS_TO_DIE = 10.0
_SECONDS_TO_BEAT = 2.0  # a trainer writes its heartbeat once a second
_LONGEST_PACE, _LOOK_SECONDS = 30.0, 0.2


def end_hung(api: APIClient, config: Settings, store: Store, step: Step) -> bool:
    """Kill the container of a training that hangs; False if it goes on, or has ended by itself.

    Its stack is saved first. Its own task sees the end and fails. One that ended by itself long
    ago, and whose task does not come back, is closed: nothing would end its silence. Whoever takes
    this up again after a kill in between finds the stack and goes on.

    Args:
        api: The engine.
        config: The operator's settings.
        store: With the step.
        step: The attempt, of one round.
    """
    name = container_name(config, step)
    record = engine.find(api, name)
    hang = _hang(config, store, step)  # the finding may be old by now
    if not record or not record["State"]["Running"]:
        if hang:  # its task may wait for its worker, and then for long behind other trainings
            log.info("%s: its container does not run, and its task does not say so", step.run_id)
            close_attempt(store, step, end_of(api, name), last_lines(api, name, _TAIL_LINES))
        return False
    if hang:
        # before the signal: a process that does not know it dies of it
        mark(store, step, Cause.HUNG, f"{hang}; {_where('')}")
        beat = store.heartbeat(step.experiment, step.round)
        stack = save_stack(api, name, store, step, beat.at if beat else 0.0)
        hang = _lasting_hang(config, store, step)
        if hang:
            mark(store, step, Cause.HUNG, f"{hang}; {_where(stack)}")
    if not hang:
        mark(store, step, None, "")  # also that of a monitor that was killed behind it
        log.info("%s goes on again", step.run_id)
        return False
    engine.kill(api, name)
    return True


def _lasting_hang(config: Settings, store: Store, step: Step) -> str:
    """Return why a training hangs, once it has had time for its next sign of life.

    One whose machine slept, or whose disk was full, looks like one that hangs until then.
    """
    beat = store.heartbeat(step.experiment, step.round)
    pace = min(2 * beat.pace, _LONGEST_PACE) if beat else 0.0
    deadline = time.monotonic() + _SECONDS_TO_BEAT + pace
    while (hang := _hang(config, store, step)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return hang


def _hang(config: Settings, store: Store, step: Step) -> str:
    limits = Limits(
        startup_seconds=config.startup_seconds,
        hang_factor=config.hang_factor,
        quiet_seconds=config.quiet_seconds,
        lost_seconds=config.lost_seconds,
    )
    beat = store.heartbeat(step.experiment, step.round)
    training = Training(step.round, store.attempts(step.experiment, step.round), beat)
    return hang_of(step, training, time.time(), limits)


def _where(stack: str) -> str:
    if not stack:
        return f"no stack came: the process is stopped, or handles {STACK_SIGNAL} itself"
    frame = last_frame(stack)
    return f"it stood at {frame}" if frame else "its stack names no place"


def fence(api: APIClient, config: Settings, store: Store, step: Step) -> dict[int, list[Attempt]]:
    """Prove the containers of a step's rounds dead and return their attempts, all of them ended.

    Containers of later attempts are left alone: whoever is late must not end what came after.
    """
    batch = store.batch(step)
    for one in batch:
        attempt = store.attempt(one.experiment, one.round, one.attempt)
        if attempt and attempt.ended_at is None:
            name = container_name(config, one)
            engine.kill(api, name)
            engine.has_ended(api, name, _SECONDS_TO_DIE)
            close_attempt(store, one, end_of(api, name), last_lines(api, name, _TAIL_LINES))
        labels = round_labels(config, one)
        engine.remove_others(api, labels, keep="", up_to=step.attempt)
    waiting = [s for s in batch if not deciding_attempt(s.round, attempts_of(store, s))]
    # where all are trained the run died behind them: that start counts, too
    for one in waiting or batch[:1]:
        if store.attempt(one.experiment, one.round, one.attempt) is None:
            missed = _never_started(one, container_name(config, one), attempts_of(store, one))
            store.put_attempt(one.experiment, one.round, missed)
    return {one.round: attempts_of(store, one) for one in batch}


def attempts_of(store: Store, step: Step) -> list[Attempt]:
    """Return the attempts of a step's round up to the step's own."""
    attempts = store.attempts(step.experiment, step.round)
    return [a for a in attempts if a.number <= step.attempt]


def _never_started(step: Step, name: str, before: list[Attempt]) -> Attempt:
    now = time.time()
    blank = Attempt(
        number=step.attempt, run_id=step.run_id, container=name, image="", engine="", started_at=now
    )
    return dataclasses.replace(
        blank,
        ended_at=now,
        cause=Cause.LOST,
        message="its run ended before the training started; see the run in Airflow",
        epochs=before[-1].epochs if before else 0,
        work=before[-1].work if before else 0.0,
    )
