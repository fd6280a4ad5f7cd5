"""A training that is killed again and again is given up; the command of its mail resumes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.system.mails import Received
from tests.system.world import SCRIPTS, World

from pushtrain.contract import Cause, Experiment, State
from pushtrain.local.paths import CHECKOUT
from pushtrain.settings import Settings

SCRIPT = "given_up_ann.py"
EPOCHS = 10
# One attempt trains a while, and as many as are allowed save nothing.
KILLS = 1 + Settings().restart_limit
COMMAND = re.compile(r"airflow dags trigger mlops_train --conf '\{[^']*\}'")


@dataclass(frozen=True)
class Resumed:
    """An experiment that was given up and then resumed by the command in its mail.

    Attributes:
        epochs_before: Finished when it was given up.
    """

    given_up: Experiment
    mail: Received
    command: str
    epochs_before: int
    end: Experiment


def kill(world: World, experiment: str, number: int) -> None:
    """Kill an attempt's container, as soon as it runs."""

    def is_killed() -> bool:
        attempt = world.store.attempt(experiment, 0, number)
        if attempt is None or not attempt.container_id:
            return False
        done = subprocess.run(["docker", "kill", attempt.container], capture_output=True)
        return done.returncode == 0

    world.wait(f"attempt {number} to be killed", is_killed, experiment)


def run_as_said(world: World, command: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command of a mail in a shell, where `airflow` is that of the embedded Airflow."""
    folder.mkdir(exist_ok=True)
    program = folder / "airflow"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pushtrain.local.airflow_cli "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PUSHTRAIN_HOME": str(world.home.root),
        "PYTHONPATH": str(CHECKOUT / "plugins"),
    }
    for _ in range(2):
        yield subprocess.Popen(
            ["sh", "-c", command], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


@pytest.fixture(scope="module")
def resumed(world: World, tmp_path_factory: pytest.TempPathFactory) -> Resumed:
    """Kill all attempts of a training, read its mail, run its command twice at once."""
    text = (SCRIPTS / "slow_ann.py").read_text(encoding="utf-8")
    world.lay()
    world.write(SCRIPT, text)
    experiment = world.id_of(SCRIPT, world.push("Add one that is given up"))
    world.wait(
        "two finished epochs",
        lambda: world.store.finished_epochs(experiment, 0) >= 2,
        experiment,
    )
    for number in range(1, KILLS + 1):
        kill(world, experiment, number)
    given_up = world.wait_for_end(experiment)
    mail = world.wait_for_mail("training given up", SCRIPT)
    epochs = world.store.finished_epochs(experiment, 0)
    (command,) = set(COMMAND.findall(mail.text))
    for started in [*run_as_said(world, command, tmp_path_factory.mktemp("bin"))]:
        said, _ = started.communicate(timeout=240)
        assert started.returncode == 0, said
    world.wait(
        "its next attempt",
        lambda: world.store.attempt(experiment, 0, KILLS + 1),
        experiment,
    )
    return Resumed(given_up, mail, command, epochs, world.wait_for_end(experiment))


def test_a_training_that_saves_nothing_any_more_is_given_up(resumed: Resumed) -> None:
    assert resumed.given_up.state is State.FAILED
    assert f"{KILLS - 1} starts in a row saved no work" in resumed.given_up.reason
    assert resumed.given_up.restarts == KILLS - 1


def test_its_mail_tells_cause_counts_and_one_command(world: World, resumed: Resumed) -> None:
    text = " ".join(resumed.mail.text.split())
    assert f"Restarts so far: {KILLS - 1}; ended early: {KILLS} killed." in text
    assert f"attempt {KILLS}: killed" in text
    assert "Last lines of attempt" in text
    assert resumed.command.endswith(f"""'{{"resume": "{resumed.given_up.id}"}}'""")
    assert len(world.mails("training given up", SCRIPT)) == 1


def test_the_command_in_the_mail_takes_it_to_its_target(world: World, resumed: Resumed) -> None:
    assert resumed.end.state is State.REACHED, world.story(resumed.end.id)
    attempts = world.store.attempts(resumed.end.id, 0)
    assert [a.cause for a in attempts] == [Cause.KILLED] * KILLS + [Cause.FINISHED]
    assert [a.forgiven for a in attempts] == [True] * KILLS + [False]
    run_id = f"{resumed.end.id}.r0.a{KILLS + 1}"
    note = str(world.api.call("GET", f"/api/v2/dags/mlops_train/dagRuns/{run_id}")["note"])
    assert f"resumed by hand, goes on after {resumed.epochs_before} of {EPOCHS} epochs" in note


def test_it_goes_on_from_its_checkpoint_once(world: World, resumed: Resumed) -> None:
    """Two people ran the command at once."""
    rows = world.store.curves(resumed.end.id, 0)
    assert len(rows.loss) == EPOCHS
    text = (world.store.output_dir(resumed.end.id, 0) / "history.csv").read_text()
    attempts = [int(line.split(",")[2]) for line in text.splitlines()[1:]]
    before = resumed.epochs_before
    assert before >= 2
    assert attempts == [1] * before + [KILLS + 1] * (EPOCHS - before)
    numbers = [(0, n) for n in range(1, KILLS + 2)]
    assert world.containers.made(resumed.end.id) == numbers
