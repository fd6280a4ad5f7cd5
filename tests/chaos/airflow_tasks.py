"""What dies between Airflow and a training's container: the task's process and its worker."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import Disturbed, Reference, judge

from pushtrain.local import processes

TASK = "task's process"
WORKER = "task's worker"
# what a dead worker may go unnoticed: Airflow waits 40 s for a heartbeat and looks every 10 s
NOTICED_SECONDS = 60.0
# the 15 s before the next try, its start on a busy machine, its first word about the container
ADOPTION_SECONDS = 45.0


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
    training.wait("notice of the death", lambda: is_noticed(world.task(run_id, "train_ann")))
    noticed_after = time.time() - at
    training.wait(
        "adoption", lambda: "taking over" in world.task_log(run_id, "train_ann", attempt=2)
    )
    adopted_after = time.time() - at
    told = f"noticed after {noticed_after:.0f} s, adopted after {adopted_after:.0f} s"
    setup.say(scenario, f"{told}, at epoch {training.epochs}")
    late = too_late(noticed_after, adopted_after)
    assert training.epochs > epochs, "the training did not go on meanwhile"
    training.end()
    verdict = judge(training, reference)
    assert verdict.attempts == 1, world.story(training.id)
    return verdict.outcome(scenario, also_lost=late, note=told)


def is_noticed(task: dict[str, Any]) -> bool:
    """Tell whether Airflow knows that the first try of a task is over."""
    return task["try_number"] > 1 or task["state"] != "running"


def too_late(noticed_after: float, adopted_after: float) -> str:
    """Return what took longer than it may, in words; empty for nothing."""
    wrong = []
    if noticed_after > NOTICED_SECONDS:
        wrong.append(f"noticed only after {noticed_after:.0f} s of {NOTICED_SECONDS:.0f}")
    if adopted_after - noticed_after > ADOPTION_SECONDS:
        wrong.append(f"adopted only {adopted_after - noticed_after:.0f} s after the notice")
    return "; ".join(wrong)


SCENARIOS = (
    Scenario(TASK, kill_task, needs_airflow=True, side_by_side=True),
    Scenario(WORKER, kill_worker, needs_airflow=True, side_by_side=True),
)
