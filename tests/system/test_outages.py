"""What goes away and comes back; tests/chaos kills each of Airflow's processes alone."""

from __future__ import annotations

import os
import signal

from tests.system.world import SCRIPTS, World

from pushtrain.contract import Cause, State
from pushtrain.local import mail_catcher, processes
from pushtrain.local.airflow_parts import PARTS, pid_of

QUICK = (SCRIPTS / "quick_knn.py").read_text(encoding="utf-8")
SLOW = (SCRIPTS / "slow_ann.py").read_text(encoding="utf-8")


def push(world: World, name: str, text: str) -> str:
    """Push one script and return the id of its experiment."""
    world.lay()
    world.write(name, text)
    return world.id_of(name, world.push(f"Add {name}"))


def wait_for_epochs(world: World, experiment: str, epochs: int) -> None:
    world.wait(
        f"{epochs} finished epochs",
        lambda: world.store.finished_epochs(experiment, 0) >= epochs,
        experiment,
    )


def assert_trained_once(world: World, experiment: str) -> None:
    """Check that one container, in one attempt, trained every epoch once."""
    assert world.containers.made(experiment) == [(0, 1)]
    (attempt,) = world.store.attempts(experiment, 0)
    assert attempt.cause is Cause.FINISHED


def test_an_engine_that_is_down_is_named_and_met_again(world: World) -> None:
    world.engine.stop()
    try:
        experiment = push(world, "engine_down.py", QUICK)
        run_id = f"{experiment}.r0.a1"
        log = world.wait(
            "the training task's failure",
            lambda: (
                world.run_state(run_id)
                and world.task(run_id, "train_sklearn")["state"] == "up_for_retry"
                and world.task_log(run_id, "train_sklearn")
            ),
            experiment,
        )
        assert f"the container engine at {world.engine.url}" in log, log[-3000:]
        assert "start it" in log, log[-3000:]
    finally:
        world.engine.start()
    assert world.wait_for_end(experiment).state is State.REACHED
    assert world.task(run_id, "train_sklearn")["try_number"] > 1
    assert_trained_once(world, experiment)


def test_without_a_mail_server_all_goes_on(world: World) -> None:
    mail_catcher.stop_mailbox(world.home)
    try:
        experiment = push(world, "no_mail.py", QUICK)
        assert world.wait_for_end(experiment).state is State.REACHED
    finally:
        mail_catcher.start_mailbox(world.home)
    run_id = f"{experiment}.r0.a1"
    assert world.run_state(run_id) == "success"
    assert world.task(run_id, "notify")["try_number"] == 1
    assert "mail not sent" in world.task_log(run_id, "notify")
    assert not world.mails("no_mail.py")


def test_parts_of_airflow_that_are_killed_come_back_by_themselves(world: World) -> None:
    trained = push(world, "killed_parts.py", SLOW.replace("epochs=10", "epochs=25"))
    wait_for_epochs(world, trained, 1)
    before = {part: pid_of(world.home, part) for part in PARTS}
    worker = process_of_task(world, trained)

    for pid in (*before.values(), worker):
        os.kill(pid or 0, signal.SIGKILL)

    for part in PARTS:
        world.wait(f"a new {part}", lambda p=part: pid_of(world.home, p) not in (None, before[p]))
    assert world.wait_for_end(trained).state is State.REACHED
    assert_trained_once(world, trained)
    assert not world.mails("training restarted", "killed_parts.py")


def process_of_task(world: World, experiment: str) -> int:
    """Return the process of the worker that watches the training task."""
    pid = world.task(f"{experiment}.r0.a1", "train_ann")["pid"]
    found = processes.facts(pid)
    assert found
    return found.parent
