"""The monitor's task with real containers: what it fences, restarts and gives up."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.integration.training_world import WAITS, World, run, wait_for

from pushtrain.adapters.attempts import mark
from pushtrain.contract import Cause, State
from pushtrain.operators.restarting import plan_restarts
from pushtrain.rules.watch import Finding, Trouble

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::UserWarning")]

ONE_EPOCH = 'open("/output/history.csv", "w").write("epoch\\n1\\n")\n'


@pytest.fixture
def stuck(world: World) -> tuple[World, threading.Thread, list[str]]:
    """Start a training that has finished an epoch and waits for ever, in a task of its own."""
    world.program(ONE_EPOCH + WAITS)
    errors: list[str] = []
    operator, step = world.operator(), world.step()

    def task() -> None:
        try:
            run(operator, step)
        except AirflowFailException as err:
            errors.append(str(err))

    thread = threading.Thread(target=task)
    thread.start()
    wait_for(lambda: world.store.finished_epochs(world.id, 0) == 1)
    return world, thread, errors


def plan(world: World, trouble: Trouble, attempt: int = 1) -> list[dict]:
    return plan_restarts([Finding(world.step(attempt), trouble, "so").to_dict()])


def test_a_hung_training_is_killed_and_then_started_again(stuck) -> None:
    world, thread, errors = stuck
    world.is_silent_for_too_long()
    assert plan(world, Trouble.HUNG) == []  # its own task has to see the end first
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert errors[0].startswith("hung: no progress for")
    assert "no stack came" in errors[0]  # this program has no handler and died of the signal
    assert (world.attempt().cause, world.attempt().epochs) == (Cause.HUNG, 1)

    (restart,) = plan(world, Trouble.DIED)

    assert restart["trigger_run_id"] == world.step(2).run_id
    assert world.store.experiment(world.id).restarts == 1
    assert world.find() is None


def test_a_training_that_goes_on_again_is_left_alone(stuck) -> None:
    world, thread, _ = stuck
    wait_for(lambda: world.store.attempt(world.id, 0, 1))
    mark(world.store, world.step(), Cause.HUNG, "so")  # by a monitor that was killed behind it
    assert plan(world, Trouble.HUNG) == []  # the finding is old: it may be silent for an hour
    assert world.attempt().cause is None
    assert world.running()
    (world.store.output_dir(world.id, 0) / "go").touch()
    thread.join(timeout=30)


def test_a_training_without_a_task_is_proven_dead_before_it_starts_again(stuck) -> None:
    world, thread, _ = stuck
    (restart,) = plan(world, Trouble.DIED)  # the run ended, but the container lives
    assert restart["trigger_run_id"] == world.step(2).run_id
    assert world.find() is None
    assert world.attempt().cause is Cause.KILLED
    thread.join(timeout=30)


def test_a_lost_step_is_started_as_it_is(stuck) -> None:
    world, thread, _ = stuck
    (restart,) = plan(world, Trouble.LOST)
    assert restart["trigger_run_id"] == world.step(1).run_id
    assert world.find() is not None
    (world.store.output_dir(world.id, 0) / "go").touch()
    thread.join(timeout=30)


def test_starts_without_progress_end_as_given_up(world: World) -> None:
    world.program("raise SystemExit(9)\n")
    with pytest.raises(AirflowFailException):
        world.run()
    ended = dataclasses.replace(world.attempt(), ended_at=time.time() - 1000)
    for number in (1, 2, 3):
        same = dataclasses.replace(ended, number=number)
        world.store.save_attempt(world.id, 0, same)
    world.store.update_experiment(world.id, attempt=3)

    assert plan(world, Trouble.DIED, attempt=3) == []

    after = world.store.experiment(world.id)
    assert (after.state, after.settled) == (State.FAILED, True)
    assert "3 starts in a row saved no work" in after.reason
