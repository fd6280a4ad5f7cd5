"""Rounds that train side by side, and trials that fail, with real containers."""

from __future__ import annotations

import dataclasses
import json
import threading
import time

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.integration.training_world import (
    GOOD,
    HOPELESS,
    HUNGRY,
    RAISES,
    WAITS,
    World,
    context_of,
    run_in,
)

from pushtrain.contract import Attempt, Cause, State
from pushtrain.operators.measuring import below_target, collect_metrics
from pushtrain.operators.restarting import plan_restarts
from pushtrain.rules.watch import Finding, Trouble

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::UserWarning")]

KILLED = "raise SystemExit(9)\n"


def plan(world: World, trouble: Trouble, rounds: tuple[int, ...] = ()) -> list[dict]:
    step = world.store.experiment(world.id).step
    return plan_restarts([Finding(step, trouble, "so", rounds).to_dict()])


@pytest.mark.parametrize(
    ("program", "cause", "says"),
    [
        (RAISES, Cause.SCRIPT_ERROR, "a.py:3: ValueError: no data"),
        (HUNGRY, Cause.OUT_OF_MEMORY, "the memory limit of 64 MiB was hit"),
        ("raise SystemExit(11)\n", Cause.NO_METRIC, "exit code 11"),
        (HOPELESS, Cause.HOPELESS, "epoch 1: 0.1, the rounds before had 0.9"),
    ],
    ids=["error", "memory", "no metric", "hopeless"],
)
def test_a_tweak_that_leads_nowhere_ends_its_round_and_no_more(
    world: World, program: str, cause: Cause, says: str
) -> None:
    world.program(GOOD)
    world.run()
    world.batch(1)
    world.program(program, 1)
    context = context_of(world.step(1, 1))
    assert run_in(context, world.operator(1, 1)) is None
    assert context["label"] == f"round 1: {cause}"
    attempt = world.attempt(1, 1)
    assert (attempt.cause, attempt.message) == (cause, says)
    step = world.store.experiment(world.id).step
    assert collect_metrics(step) == {"round": 1}
    outcome = world.store.rounds(world.id)[1]
    assert outcome.accuracy is None
    assert outcome.hopeless is (cause is Cause.HOPELESS)
    assert outcome.failure == ("" if outcome.hopeless else f"{cause}: {says}")
    assert world.run(1, 1) is None, "a task that is done again trains nothing"
    assert world.store.attempts(world.id, 1) == [attempt]


def test_the_pushed_round_is_no_trial(world: World) -> None:
    world.program(HOPELESS)
    with pytest.raises(AirflowFailException, match="script error"):
        world.run()


def test_the_best_of_the_candidates_goes_on(world: World) -> None:
    world.program(GOOD.replace("0.9", "0.5"))
    world.run()
    world.batch(1, 2, 3)
    for number, program in ((1, GOOD.replace("0.9", "0.6")), (2, RAISES), (3, GOOD)):
        world.program(program, number)
    assert [world.run(1, n) for n in (1, 2, 3)] == [0.6, None, 0.9]
    step = world.store.experiment(world.id).step
    assert collect_metrics(step) == {"accuracy": 0.9, "split": "test", "round": 3}
    assert below_target(step) is False
    after = world.store.experiment(world.id)
    assert (after.state, after.best_round) == (State.REACHED, 3)


def test_a_killed_candidate_starts_again_and_the_others_do_not(world: World) -> None:
    world.program(GOOD)
    world.run()
    world.batch(1, 2)
    world.program(GOOD, 1)
    world.program(KILLED, 2)
    assert world.run(1, 1) == 0.9
    with pytest.raises(AirflowFailException, match="killed"):
        world.run(1, 2)
    ended = world.store.attempt(world.id, 2, 1)
    assert ended is not None
    world.store.save_attempt(world.id, 2, _long_ago(ended))

    (restart,) = plan(world, Trouble.DIED)

    assert restart["trigger_run_id"] == world.step(2, 1).run_id
    world.program(GOOD, 2)
    assert world.run(2, 1) == 0.9
    assert world.run(2, 2) == 0.9
    assert [a.number for a in world.store.attempts(world.id, 1)] == [1]
    assert [a.number for a in world.store.attempts(world.id, 2)] == [1, 2]


def test_a_candidate_that_is_given_up_does_not_end_the_others(world: World) -> None:
    world.program(GOOD)
    world.run()
    world.batch(1, 2)
    world.program(GOOD, 1)
    world.program(KILLED, 2)
    world.run(1, 1)
    for number in (1, 2, 3):
        world.store.update_experiment(world.id, attempt=number)
        with pytest.raises(AirflowFailException):
            world.run(number, 2)
        ended = world.store.attempt(world.id, 2, number)
        assert ended is not None
        world.store.save_attempt(world.id, 2, _long_ago(ended))
    first = world.store.attempt(world.id, 1, 1)
    assert first is not None
    world.store.save_attempt(world.id, 1, _long_ago(first))

    (restart,) = plan(world, Trouble.DIED)

    assert restart["trigger_run_id"] == world.step(4, 1).run_id
    assert [world.run(4, 1), world.run(4, 2)] == [0.9, None]
    assert "3 starts in a row saved no work" in world.store.rounds(world.id)[2].failure
    assert collect_metrics(world.store.experiment(world.id).step)["round"] == 1


def test_only_the_candidate_that_hangs_is_killed(world: World) -> None:
    world.program(GOOD)
    world.run()
    world.batch(1, 2)
    errors: dict[int, str] = {}
    threads = []
    for number in (1, 2):
        world.program(WAITS + GOOD, number)
        operator = world.operator(1, number)
        context = context_of(world.step(1, number))

        def task(number=number, operator=operator, context=context) -> None:
            try:
                run_in(context, operator)
            except AirflowFailException as err:
                errors[number] = str(err)

        threads.append(threading.Thread(target=task))
        threads[-1].start()
        while not (found := world.find(1, number)) or not found["State"]["Running"]:
            time.sleep(0.05)

    silent = dataclasses.replace(world.attempt(1, 2), started_at=time.time() - 4000)
    world.store.save_attempt(world.id, 2, silent)
    assert plan(world, Trouble.HUNG, (1, 2)) == []  # what was said of the first is out of date
    threads[1].join(timeout=60)
    assert list(errors) == [2]
    assert errors[2].startswith("hung: no progress for 400")
    running = world.find(1, 1)
    assert running is not None
    assert running["State"]["Running"]
    (world.store.output_dir(world.id, 1) / "go").touch()
    threads[0].join(timeout=30)
    assert world.attempt(1, 1).cause is Cause.FINISHED


def test_a_round_can_compare_itself_with_those_before_it(world: World) -> None:
    world.program(GOOD)
    world.run()
    world.batch(1)
    world.program(
        "import json\ncurves = json.load(open('/output/references.json'))['curves']\n"
        "assert [c['round'] for c in curves] == [0]\n" + GOOD, 1
    )  # fmt: skip
    assert world.run(1, 1) == 0.9
    references = world.store.output_dir(world.id, 0) / "references.json"
    assert not references.exists(), "the pushed round is compared with nothing"
    record = json.loads((world.store.output_dir(world.id, 1) / "references.json").read_text())
    assert record["schema"] == 1


def _long_ago(attempt: Attempt) -> Attempt:
    """Return an attempt whose backoff is over."""
    return dataclasses.replace(attempt, ended_at=time.time() - 1000)
