"""Monitors that run beside each other, and monitors that are killed at every step in turn."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.sdk.exceptions import AirflowFailException
from docker import APIClient
from tests.integration.training_world import GOOD, WAITS, World, run, wait_for
from tests.unit.records import attempt

from pushtrain.adapters import engine
from pushtrain.adapters.outbox import outbox_of
from pushtrain.contract import LABEL_EXPERIMENT, Cause, State
from pushtrain.errors import OutsideError
from pushtrain.operators.restarting import plan_restarts
from pushtrain.rules.watch import Finding, Trouble

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore")]

RACES = 15
FORKING = multiprocessing.get_context("fork")

ONE_EPOCH = 'open("/output/history.csv", "w").write("epoch\\n1\\n")\n'
HANGS = (
    "import faulthandler, signal, time\n"
    'stack = open("/output/stack.txt", "w")\n'
    "faulthandler.register(signal.SIGUSR1, file=stack, all_threads=True)\n"
    "def wait_for_ever():\n"
    "    print('up', flush=True)\n"
    "    while True: time.sleep(1)\n"
    "wait_for_ever()\n"
)


@pytest.fixture(autouse=True)
def mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is known, so that mails are written; nobody answers there."""
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://mail.example.com:25")


@pytest.fixture
def new_world(
    tmp_path: Path, api: APIClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], World]]:
    """Make further experiments in the store of `world`."""
    made: list[World] = []

    def one_more() -> World:
        made.append(World(tmp_path / "store", api, monkeypatch))
        return made[-1]

    yield one_more
    for one in made:
        engine.remove_others(api, {LABEL_EXPERIMENT: one.id}, keep="")


def died(world: World, number: int) -> dict[str, Any]:
    return Finding(world.step(number), Trouble.DIED, "so").to_dict()


def mails_of(world: World) -> list[str]:
    names = [path.name for path in outbox_of(world.store).waiting()]
    return sorted(name for name in names if name.startswith(world.id))


def in_two_processes(work: Callable[[int, int], Any], races: int = RACES) -> list[list[Any]]:
    """Run races between two processes, each of which begins its part in the same moment.

    Args:
        work: Is told which of the two it is, and the number of the race.
        races: How many.

    Returns:
        What both brought, by race.
    """
    barrier, queue = FORKING.Barrier(2), FORKING.SimpleQueue()

    def part(which: int) -> None:
        for number in range(races):
            barrier.wait(60)
            queue.put((number, work(which, number)))

    both = [FORKING.Process(target=part, args=(which,)) for which in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
        assert process.exitcode == 0
    done: list[list[Any]] = [[] for _ in range(races)]
    for _ in range(2 * races):
        number, outcome = queue.get()
        done[number].append(outcome)
    return done


@pytest.mark.parametrize("starts", [1, 3], ids=["started again", "given up"])
def test_two_monitors_act_once(new_world: Callable[[], World], starts: int) -> None:
    worlds = [new_world() for _ in range(RACES)]
    for world in worlds:
        for number in range(1, starts + 1):
            ended = attempt(number, cause=Cause.KILLED, ended_at=1001.0)
            world.store.save_attempt(world.id, 0, ended)
        world.store.update_experiment(world.id, attempt=starts)

    planned = in_two_processes(lambda _, n: plan_restarts([died(worlds[n], starts)]))

    for world, both in zip(worlds, planned, strict=True):
        after, runs = world.store.experiment(world.id), [r for one in both for r in one]
        assert len(mails_of(world)) == 1
        if starts == 1:
            # whoever comes second may name the same run again: its id lets it be there once
            assert {r["trigger_run_id"] for r in runs} == {world.step(2).run_id}
            assert (after.attempt, after.restarts, after.state) == (2, 1, State.RUNNING)
        else:
            assert runs == []
            assert (after.attempt, after.state, after.settled) == (3, State.FAILED, True)
        assert len(world.store.attempts(world.id, 0)) == starts


def test_a_monitor_and_a_person_end_and_start_an_attempt_once(
    new_world: Callable[[], World],
) -> None:
    """A person clears the task of a training that died while the monitor takes up its end."""
    worlds = [new_world() for _ in range(RACES)]
    for world in worlds:
        world.program(WAITS)
        world.store.save_attempt(world.id, 0, attempt(1, cause=Cause.KILLED, ended_at=1001.0))

    def either(which: int, number: int) -> None:
        if which:
            assert len(worlds[number].plan()) == 1
        else:
            with pytest.raises(AirflowFailException):  # it has ended, or is past
                worlds[number].run()

    in_two_processes(either)
    for world in worlds:
        assert world.store.experiment(world.id).restarts == 1
        assert world.attempt().ended_at == 1001.0
        assert world.made() == []


def test_two_tasks_of_one_step_share_its_container(new_world: Callable[[], World]) -> None:
    """A person triggers a step that has a run: both follow the same training."""
    worlds = [new_world() for _ in range(3)]
    for world in worlds:
        world.program("import time\ntime.sleep(0.3)\n" + GOOD)

    def task(_: int, number: int) -> float | None:
        while True:
            with contextlib.suppress(OutsideError):  # the name is taken: Airflow's retry comes
                return worlds[number].run()

    assert in_two_processes(task, len(worlds)) == [[0.9, 0.9]] * len(worlds)
    assert [world.made() for world in worlds] == [[1]] * len(worlds)


# ------------------------------------------------------------------- killed at every step


def killed_before(number: int, work: Callable[[], Any]) -> bool:
    """Do the work in a process that is killed before its n-th change to engine or store.

    Returns:
        Whether it came to its end before.
    """
    child = os.fork()
    if child == 0:
        left = [number]

        def counted(original: Callable[..., Any]) -> Callable[..., Any]:
            def change(*args: Any, **kwargs: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(*args, **kwargs)

            return change

        os.replace = counted(os.replace)  # every record of the store
        requests.Session.post = counted(requests.Session.post)
        requests.Session.delete = counted(requests.Session.delete)
        try:
            work()
        except BaseException as err:
            print(f"{type(err).__name__}: {err}", flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status == 0


def end_state(world: World, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return all that a restart leaves behind, without times and names."""
    made = world.store.experiment(world.id)
    attempts = [
        dataclasses.replace(a, started_at=0.0, ended_at=0.0, container_id="")
        for a in world.store.attempts(world.id, 0)
    ]
    state = {
        "experiment": (made.step, made.restarts, made.state, made.settled),
        "attempts": attempts,
        "mails": mails_of(world),
        "runs": [run["trigger_run_id"] for run in runs],
        "container": world.find() is not None,
        "stack": world.store.attempt_stack(world.id, 0, 1).exists(),
        "made": world.made(),
    }
    return {k: re.sub(r"knn-\w{8}|for \d+ s|-\w{6}\b", "", str(v)) for k, v in state.items()}


def begun(world: World, program: str) -> World:
    """Start a training whose task is killed at once, as with its worker."""
    world.program(program)
    operator, step = world.operator(), world.step()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            run(operator, step)
        os._exit(0)
    try:
        wait_for(lambda: b"up" in world.printed())
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return world


def end_wherever_it_is_killed(new_world: Callable[[], World], program: str) -> dict[str, Any]:
    """Return what a monitor comes to, killed before each of its changes or not at all."""
    whole = begun(new_world(), program)
    expected = end_state(whole, whole.plan())
    for number in range(1, 100):
        world = begun(new_world(), program)
        is_whole = killed_before(number, world.plan)
        assert end_state(world, world.plan()) == expected, f"killed before change {number}"
        if is_whole:
            break
    assert number > 5
    return expected


def test_a_monitor_that_is_killed_anywhere_ends_as_one_that_is_not(
    new_world: Callable[[], World],
) -> None:
    program = ONE_EPOCH + WAITS  # progress, so that nothing waits
    expected = end_wherever_it_is_killed(new_world, program)
    assert expected["mails"] == "['.r0.a2.restart.eml']"


def test_a_monitor_that_is_killed_while_it_gives_up_gives_up_once(
    new_world: Callable[[], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__RESTART_LIMIT", "1")
    expected = end_wherever_it_is_killed(new_world, WAITS)  # nothing is saved
    assert expected["mails"] == "['.r0.a1.given-up.eml']"
    assert "<State.FAILED: 'failed'>, True)" in expected["experiment"]


def test_a_dead_training_whose_task_does_not_come_back_is_closed(
    new_world: Callable[[], World],
) -> None:
    """Its run lives: its task lost its worker, too, and waits behind other trainings."""
    world = begun(new_world(), ONE_EPOCH + WAITS)
    engine.kill(world.api, world.running()["Id"])
    assert world.plan(trouble=Trouble.HUNG) == []
    assert world.attempt().ended_at is None  # its task may see it in a moment
    world.is_silent_for_too_long()
    assert world.plan(trouble=Trouble.HUNG) == []
    assert (world.attempt().cause, world.attempt().epochs) == (Cause.KILLED, 1)
    (restart,) = world.plan()
    assert restart["trigger_run_id"] == world.step(2).run_id


def test_a_monitor_that_is_killed_while_it_ends_a_hang_ends_it_all_the_same(
    new_world: Callable[[], World],
) -> None:
    def ended(world: World) -> dict[str, Any]:
        assert world.plan(trouble=Trouble.HUNG) == []
        return end_state(world, world.plan())

    program = ONE_EPOCH + HANGS
    whole = begun(new_world(), program)
    whole.is_silent_for_too_long()
    expected = ended(whole)
    assert expected["mails"] == "['.r0.a2.restart.eml']"
    assert "it stood at model_src/knn.py:8 in wait_for_ever" in expected["attempts"]
    assert expected["stack"] == "True"
    for number in range(1, 100):
        world = begun(new_world(), program)
        world.is_silent_for_too_long()
        is_whole = killed_before(number, functools.partial(world.plan, trouble=Trouble.HUNG))
        assert ended(world) == expected, f"killed before change {number}"
        if is_whole:
            break
    assert number > 4
