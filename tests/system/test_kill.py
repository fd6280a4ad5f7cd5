"""A training that is killed in the middle reaches its target all the same, by itself."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from tests.system.world import World

from pushtrain.contract import Cause, Experiment, State

SCRIPT = "slow_ann.py"
EPOCHS = 10


@dataclass(frozen=True)
class Killed:
    """An experiment whose training was killed after some epochs, and how it ended."""

    experiment: Experiment
    epochs_before: int


def history(world: World, experiment: str) -> list[Mapping[str, str]]:
    """Return the rows of the curves of round 0."""
    path = world.store.output_dir(experiment, 0) / "history.csv"
    if not path.exists():
        return []
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def killed(world: World) -> Killed:
    """Push a script with long epochs, kill its container after the third, wait for the end."""
    world.lay(SCRIPT)
    commit = world.push("Add a slow one")
    experiment = world.id_of(SCRIPT, commit)
    world.wait("three finished epochs", lambda: len(history(world, experiment)) >= 3, experiment)
    (attempt,) = world.store.attempts(experiment, 0)
    name = attempt.container
    subprocess.run(["docker", "kill", name], check=True, capture_output=True)
    epochs_before = len(history(world, experiment))
    assert epochs_before < EPOCHS, "killed too late: nothing is shown"
    return Killed(world.wait_for_end(experiment), epochs_before)


def test_a_killed_training_reaches_the_target_by_itself(world: World, killed: Killed) -> None:
    experiment = killed.experiment
    assert experiment.state is State.REACHED, world.story(experiment.id)
    assert experiment.restarts == 1
    assert experiment.best_round == 0


def test_epochs_before_the_kill_are_not_trained_again(world: World, killed: Killed) -> None:
    rows = history(world, killed.experiment.id)
    assert [int(r["epoch"]) for r in rows] == list(range(1, EPOCHS + 1))
    attempts = [int(r["attempt"]) for r in rows]
    first = attempts.count(1)
    # the container may have finished one more between the look and the kill
    assert killed.epochs_before <= first <= killed.epochs_before + 1
    assert attempts == [1] * first + [2] * (EPOCHS - first)


def test_a_restart_is_the_next_attempt_of_the_same_round(world: World, killed: Killed) -> None:
    experiment = killed.experiment.id
    assert world.runs_of(experiment) == [f"{experiment}.r0.a1", f"{experiment}.r0.a2"]
    assert world.run_state(f"{experiment}.r0.a1") == "failed"
    assert world.run_state(f"{experiment}.r0.a2") == "success"
    first, second = world.store.attempts(experiment, 0)
    assert (first.cause, first.exit_code) == (Cause.KILLED, 137)
    assert second.cause is Cause.FINISHED
    assert world.store.result(experiment, 0).exact


def test_each_attempt_has_one_container(world: World, killed: Killed) -> None:
    assert world.containers.made(killed.experiment.id) == [(0, 1), (0, 2)]


def test_a_restart_is_mailed(world: World, killed: Killed) -> None:
    mail = world.wait_for_mail("training restarted", SCRIPT, killed.experiment.commit[:8])
    assert "attempt 2" in mail.text
    assert "killed" in mail.text
    assert len(world.mails("training restarted", SCRIPT)) == 1
    assert world.wait_for_mail("best model created", SCRIPT)
