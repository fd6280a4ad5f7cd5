"""The training task with real containers; the base image and a program stand for the trainer."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.integration.training_world import GOOD, HOPELESS, HUNGRY, RAISES, WAITS, World, run

from pushtrain.adapters import engine
from pushtrain.adapters.training_container import spec_of
from pushtrain.contract import Attempt, Cause
from pushtrain.errors import OutsideError
from pushtrain.settings import load

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::UserWarning")]


def test_a_training_brings_its_accuracy(world: World) -> None:
    world.program(GOOD)
    assert world.run() == 0.9
    attempt = world.attempt()
    assert (attempt.cause, attempt.exit_code, attempt.epochs) == (Cause.FINISHED, 0, 1)
    assert attempt.ended_at is not None
    assert attempt.ended_at >= attempt.started_at
    assert world.store.attempt_log(world.id, 0, 1).read_text() == "epoch 1\n"
    assert world.find() is None
    lease = world.store.output_dir(world.id, 0) / "attempt.json"
    assert json.loads(lease.read_text()) == {"attempt": 1}


def test_a_finished_training_is_not_repeated(world: World) -> None:
    world.program(GOOD)
    world.run()
    before = world.attempt()
    assert world.run() == 0.9
    assert world.attempt() == before


@pytest.mark.parametrize(("program", "number"), [(HUNGRY, 0), (HOPELESS, 1), (RAISES, 1)],
                         ids=["out of memory", "stopped early", "failed trial"])  # fmt: skip
def test_a_round_that_is_done_without_a_result_leaves_no_container(
    world: World, program: str, number: int
) -> None:
    if number:
        world.batch(number)
    world.program(program, number)
    assert world.run(number=number) is None
    assert world.made() == [1]
    assert world.find(number=number) is None


def test_what_a_task_left_that_was_killed_before_it_removed_it_is_removed(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.program(GOOD)
    with monkeypatch.context() as killed:
        killed.setattr(engine, "remove", lambda api, container: None)
        assert world.run() == 0.9
    assert world.find() is not None
    with monkeypatch.context() as down:  # it can not be removed now, which costs nobody anything
        down.setenv("AIRFLOW__PUSHTRAIN__DOCKER_URL", f"unix://{tmp_path}/docker.sock")
        assert world.run() == 0.9
    assert world.run() == 0.9
    assert world.find() is None


def test_an_error_of_the_script_fails_for_good(world: World) -> None:
    world.program(RAISES)
    with pytest.raises(AirflowFailException, match=r"script error: a\.py:3: ValueError: no data"):
        world.run()
    assert world.attempt().cause is Cause.SCRIPT_ERROR
    assert world.find() is not None  # the evidence stays


def test_a_running_training_is_taken_over(world: World, image: str) -> None:
    """As a retry finds it whose worker was killed."""
    world.program(WAITS + GOOD)
    store, config = world.store, load()
    spec = spec_of(world.api, config, store, store.experiment(world.id), world.step(), image)
    made = engine.create(world.api, spec)
    world.api.start(made)
    started = Attempt(1, world.step().run_id, spec.name, image, "", time.time(), container_id=made)
    store.save_attempt(world.id, 0, started)
    threading.Timer(0.5, (store.output_dir(world.id, 0) / "go").touch).start()
    assert world.run() == 0.9
    assert world.attempt().container_id == made
    assert store.attempt_log(world.id, 0, 1).read_text() == "up\nepoch 1\n"


@pytest.mark.parametrize("started", [False, True], ids=["created", "ended"])
def test_a_container_that_nobody_followed_is_taken_over(
    world: World, image: str, started: bool
) -> None:
    world.program(GOOD)
    store, config = world.store, load()
    spec = spec_of(world.api, config, store, store.experiment(world.id), world.step(), image)
    made = engine.create(world.api, spec)
    if started:
        world.api.start(made)
        world.api.wait(made)
    assert world.run() == 0.9
    assert world.attempt().container_id == made


def test_a_container_that_was_removed_meanwhile_is_not_started_again(world: World) -> None:
    world.program(GOOD)
    lost = Attempt(1, world.step().run_id, "gone", "", "", 1.0, container_id="gone")
    world.store.save_attempt(world.id, 0, lost)
    with pytest.raises(AirflowFailException, match="lost: the container was removed"):
        world.run()
    assert world.find() is None


@pytest.mark.parametrize("removed", [False, True], ids=["there", "removed"])
def test_a_failed_attempt_that_a_person_cleared_is_not_started_again(
    world: World, removed: bool
) -> None:
    world.program(RAISES)
    with pytest.raises(AirflowFailException):
        world.run()
    found, ended = world.find(), world.attempt()
    assert found is not None
    if removed:
        engine.remove(world.api, found["Id"])
    world.program(GOOD)
    with pytest.raises(AirflowFailException, match="script error"):
        world.run()
    assert world.attempt() == ended
    again = world.find()
    assert (again["Id"] if again else None) == (None if removed else found["Id"])


def test_a_new_attempt_ends_the_older_one_first(world: World, image: str) -> None:
    world.program("import time\ntime.sleep(600)\n")
    store, config = world.store, load()
    spec = spec_of(world.api, config, store, store.experiment(world.id), world.step(), image)
    world.api.start(engine.create(world.api, spec))
    world.program(GOOD)
    store.update_experiment(world.id, attempt=2)
    assert world.run(2) == 0.9
    assert world.find(1) is None


def test_a_past_attempt_that_a_person_cleared_ends_nothing(world: World, image: str) -> None:
    world.program("import time\ntime.sleep(600)\n")
    store, config = world.store, load()
    store.update_experiment(world.id, attempt=2)
    made = store.experiment(world.id)
    live = engine.create(world.api, spec_of(world.api, config, store, made, made.step, image))
    world.api.start(live)
    with pytest.raises(AirflowFailException, match=r"r0\.a1 is past, .*r0\.a2 is trained now"):
        world.run(1)
    assert world.api.inspect_container(live)["State"]["Running"]


def test_a_task_that_a_person_ended_stops_its_training(world: World) -> None:
    world.program(WAITS)
    operator, step = world.operator(), world.step()
    failed: list[BaseException] = []

    def follow() -> None:
        try:
            run(operator, step)
        except AirflowFailException as err:
            failed.append(err)

    task = threading.Thread(target=follow)
    task.start()
    world.running()
    states = {step.run_id: {"train_sklearn": "failed"}}
    operator._ti = SimpleNamespace(
        dag_id="d", task_id="train_sklearn", run_id=step.run_id, map_index=-1,
        get_task_states=lambda **_: states,
    )  # fmt: skip
    operator.on_kill()
    task.join(20)
    assert [str(err) for err in failed] == ["stopped by a person: the task was ended in Airflow"]
    assert world.attempt().cause is Cause.STOPPED


@pytest.mark.parametrize("answer", [{"train_sklearn": "running"}, None], ids=["running", "silent"])
def test_a_task_that_lost_its_airflow_leaves_its_training(world: World, answer: Any) -> None:
    world.program(WAITS)
    operator, step = world.operator(), world.step()

    def follow() -> None:
        with pytest.raises(AirflowFailException):
            run(operator, step)

    task = threading.Thread(target=follow)
    task.start()
    found = world.running()

    def states(**_: object) -> dict[str, Any]:
        if answer is None:
            raise ConnectionError
        return {step.run_id: answer}

    operator._ti = SimpleNamespace(
        dag_id="d", task_id="t", run_id=step.run_id, map_index=-1, get_task_states=states
    )
    operator.on_kill()
    assert world.api.inspect_container(found["Id"])["State"]["Running"]
    engine.kill(world.api, found["Id"])
    task.join(20)


def test_an_image_that_is_not_there_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__IMAGE_SKLEARN", "no-such-image:1")
    world.program(GOOD)
    with pytest.raises(AirflowFailException, match=r"no-such-image:1.*make images"):
        world.run()


def test_an_engine_that_is_down_is_left_to_the_retry(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.program(GOOD)
    with monkeypatch.context() as down:
        down.setenv("AIRFLOW__PUSHTRAIN__DOCKER_URL", f"unix://{tmp_path}/docker.sock")
        with pytest.raises(OutsideError, match="make engine"):
            world.run()
    assert world.run() == 0.9
