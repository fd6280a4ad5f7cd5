"""Trainings that die by themselves or are killed, while Airflow is well."""

from __future__ import annotations

import subprocess
import time

from tests.chaos.diaries import first_batch
from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import STARTUP_SECONDS, Setup
from tests.chaos.trainings import Disturbed, Reference, judge

from pushtrain.adapters.store import Store
from pushtrain.contract import Cause

CONTAINER = "training's container"
STOPPED = "training stands still (SIGSTOP)"
DEADLOCK = "training deadlocks"
TRIES = 5


def kill_container(setup: Setup) -> Outcome:
    """Kill the container again and again, each time at a random instant of an epoch."""
    reference, training = Reference.of(setup), Disturbed(setup, "killed_container.py").push()
    chance, tried = setup.random_of(CONTAINER), setup.tries(TRIES)
    killed_at = []
    for attempt in range(1, tried + 1):
        training.wait_for_attempt(attempt)
        time.sleep(chance.uniform(0, 1))  # the choice of the instant, nothing is waited for
        killed_at.append(time.time())
        docker("kill", training.attempts[-1].container)
        setup.say(CONTAINER, f"killed after {training.epochs} epochs")
    training.wait_for_attempt(tried + 1, epochs=1)
    training.end()
    causes = [a.cause for a in training.attempts]
    assert causes == [Cause.KILLED] * tried + [Cause.FINISHED], causes
    steps = [training.step(attempt).run_id for attempt in range(1, tried + 2)]
    assert training.world.runs_of(training.id) == steps, "a restart is a run, and told by its id"
    mail = training.world.mails("training restarted", training.script)[0]
    assert "attempt 2" in mail.text, mail.text
    assert "killed" in mail.text, mail.text
    verdict = judge(training, reference)
    return verdict.outcome(CONTAINER, tried=tried, seconds=seconds_after(training, killed_at))


def stop_process(setup: Setup) -> Outcome:
    """Stop the training's process: its container runs, and does nothing."""
    reference, training = Reference.of(setup), Disturbed(setup, "stands_still.py").push()
    training.wait_for_attempt(1, epochs=3)
    beat = training.world.store.heartbeat(training.id, 0)
    assert beat
    at = time.time()
    docker("exec", training.attempts[0].container, "sh", "-c", f"kill -STOP {beat.pid}")
    return hung(setup, STOPPED, training, reference, at)


def deadlock(setup: Setup) -> Outcome:
    """Let the script wait for itself: the stack tells where."""
    reference, training = Reference.of(setup), Disturbed(setup, "deadlocks.py").push()
    training.wait_for_attempt(1, epochs=3)
    at = time.time()
    training.lay("deadlock")
    outcome = hung(setup, DEADLOCK, training, reference, at)
    stack = Store(training.world.home.store).attempt_stack(training.id, 0, 1)
    text = stack.read_text(encoding="utf-8") if stack.exists() else ""
    assert "wait_for_itself" in text, f"the stack does not tell where it hung: {text!r}"
    return outcome


def hung(
    setup: Setup, scenario: str, training: Disturbed, reference: Reference, at: float
) -> Outcome:
    """Wait until a training that hangs was killed and goes on; return what came of it."""
    setup.say(scenario, f"hangs after {training.epochs} epochs")
    training.wait_for_attempt(2, epochs=1)
    training.end()
    causes = [a.cause for a in training.attempts]
    assert causes == [Cause.HUNG, Cause.FINISHED], causes
    note = f"with startup_seconds = {STARTUP_SECONDS}: silence that counts as a hang"
    seconds = seconds_after(training, [at])
    return judge(training, reference).outcome(scenario, seconds=seconds, note=note)


def seconds_after(training: Disturbed, killed_at: list[float]) -> list[float]:
    """Return the seconds from each kill to the first batch of the attempt that it led to."""
    found = [first_batch(training.log(number)) for number in range(2, len(killed_at) + 2)]
    assert all(found), f"an attempt of {training.script} trained nothing"
    return [batch - at for batch, at in zip(found, killed_at, strict=True) if batch]


def docker(*arguments: str) -> None:
    """Run a command of the engine's client."""
    subprocess.run(["docker", *arguments], check=True, capture_output=True)


SCENARIOS = (
    Scenario(CONTAINER, kill_container, needs_airflow=True, side_by_side=True),
    Scenario(STOPPED, stop_process, needs_airflow=True, side_by_side=True),
    Scenario(DEADLOCK, deadlock, needs_airflow=True, side_by_side=True),
)
