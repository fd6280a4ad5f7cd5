"""What dies between Airflow and a training's container: the task's process and its worker."""

from __future__ import annotations

import os
import signal
import time

from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import Disturbed, Reference, judge

from pushtrain.local import processes

TASK = "task's process"
WORKER = "task's worker"
# what a dead worker may go unnoticed
NOTICED_SECONDS = 60.0


def kill_task(setup: Setup) -> Outcome:
    """Kill the process of the training task: the container goes on and is adopted."""
    training = Disturbed(setup, "killed_task.py")
    return adopted(setup, TASK, training, lambda pid: pid)


def kill_worker(setup: Setup) -> Outcome:
    """Kill the worker that watches the training task: nobody is left to tell of its end."""
    training = Disturbed(setup, "killed_worker.py")
    return adopted(setup, WORKER, training, parent_of)


def parent_of(pid: int) -> int:
    """Return the process that started another: of a task's process, its worker."""
    found = processes.facts(pid)
    assert found, f"process {pid} has ended"
    return found.parent


def adopted(setup: Setup, scenario: str, training: Disturbed, victim) -> Outcome:  # type: ignore[no-untyped-def]
    """Kill what watches a training; the next try of its task takes the container over."""
    reference, training = Reference.of(setup), training.push()
    training.wait_for_attempt(1)
    world, run_id = training.world, training.step().run_id
    pid = world.task(run_id, "train_ann")["pid"]
    at, epochs = time.time(), training.epochs
    os.kill(victim(pid), signal.SIGKILL)
    setup.say(scenario, f"killed after {epochs} epochs")
    training.wait(
        "adoption", lambda: "taking over" in world.task_log(run_id, "train_ann", attempt=2)
    )
    adopted_after = time.time() - at
    setup.say(scenario, f"adopted after {adopted_after:.0f} s, at epoch {training.epochs}")
    assert training.epochs > epochs, "the training did not go on meanwhile"
    training.end()
    verdict = judge(training, reference)
    assert verdict.attempts == 1, world.story(training.id)
    return verdict.outcome(scenario, note=f"adopted after {adopted_after:.0f} s")


SCENARIOS = (
    Scenario(TASK, kill_task, needs_airflow=True, side_by_side=True),
    Scenario(WORKER, kill_worker, needs_airflow=True, side_by_side=True),
)
