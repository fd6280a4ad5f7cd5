"""The monitor, killed after it decided on a restart and before it started it."""

from __future__ import annotations

import signal
import time
from functools import partial

from tests.chaos.airflow_parts import prepare, training_of
from tests.chaos.airflow_trainings import docker, seconds_after
from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import Reference, judge
from tests.system.world import World

from pushtrain.local import processes
from pushtrain.local.airflow_parts import process_of

MONITOR = "monitor, between plan and restart"
# the plan is written some tens of milliseconds before its task has ended
LOOK_SECONDS = 0.002
PATIENCE_SECONDS = 120.0


def kill_monitor(setup: Setup) -> Outcome:
    """Kill a container, and then the monitor's task as soon as it has planned the restart."""
    training, reference, world = training_of(MONITOR, setup), Reference.of(setup), setup.world
    training.wait_for_attempt(1, epochs=1)
    experiment, workers = training.id, workers_of(world)
    known = set(tasks_of(workers))
    at = time.time()
    docker("kill", training.attempts[0].container)
    wait_until_planned(world, experiment)
    planning = [pid for pid in tasks_of(workers) if pid not in known]
    processes.send(planning, signal.SIGKILL)
    assert planning, "the plan's task had ended before it could be killed"
    assert not world.run_state(training.step(2).run_id), "the restart was started already"
    setup.say(MONITOR, f"killed {len(planning)} process(es), {time.time() - at:.1f} s after")
    training.wait_for_attempt(2, epochs=1)
    training.end()
    verdict = judge(training, reference)
    assert verdict.attempts == 2, world.story(experiment)
    return verdict.outcome(MONITOR, seconds=seconds_after(training, [at]))


def wait_until_planned(world: World, experiment: str) -> None:
    """Return at the moment at which the store holds the plan of a second attempt."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while world.store.experiment(experiment).attempt < 2:
        assert time.monotonic() < deadline, f"no restart was planned\n{world.story(experiment)}"
        time.sleep(LOOK_SECONDS)


def workers_of(world: World) -> set[int]:
    """Return the processes of LocalExecutor's workers."""
    members = process_of(world.home).members()
    return {pid for pid in members if title(pid).startswith("airflow worker -- LocalExecutor")}


def tasks_of(workers: set[int]) -> list[int]:
    """Return the processes of the tasks that workers watch at this moment."""
    return [p.pid for p in processes.all_processes() if p.parent in workers]


def title(pid: int) -> str:
    """Return what a process calls itself, empty for a dead one."""
    try:
        return (processes.PROC / str(pid) / "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


SCENARIOS = (
    Scenario(MONITOR, kill_monitor, needs_airflow=True, prepare=partial(prepare, MONITOR)),
)
