"""A training that needs more memory than it may have: the engine kills it, each time."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import Disturbed, lost_mails

from pushtrain.contract import Cause, State

MEMORY = "training out of memory"
HUNGRY = (Path(__file__).with_name("scripts") / "hungry_ann.py").read_text(encoding="utf-8")
BATCH = 1024


def run_out_of_memory(setup: Setup) -> Outcome:
    """Train what does not fit: the next round has half the batch size, and is not killed."""
    training = Disturbed(setup, "hungry.py").push(HUNGRY)
    world = training.world
    training.wait("opening", lambda: training.found)
    experiment = world.wait_for_end(training.id)
    training.wait("settling", lambda: world.store.experiment(experiment.id).settled)
    (killed,) = world.store.attempts(experiment.id, 0)
    assert killed.cause is Cause.OUT_OF_MEMORY, killed
    setup.say(MEMORY, f"round 0: {killed.message}; {experiment.state}")
    last = experiment.best_round or 0
    source = world.store.source_dir(experiment.id, last) / experiment.script
    halved = f"batch_size={BATCH // 2}" in source.read_text(encoding="utf-8")
    made = world.containers.made(experiment.id)
    subjects = [m.subject for m in world.mails_about(training.script)]
    return Outcome(
        MEMORY,
        tried=1,
        recovered=int(experiment.state is State.REACHED and halved),
        epochs_twice=0,
        identical=None,
        seconds=(world.store.attempts(experiment.id, last)[0].started_at - (killed.ended_at or 0),),
        lost=lost_mails(subjects, experiment.restarts),
        containers_once=made == [(n, 1) for n in range(last + 1)],
        note="not repeated as it is: the next round has half the batch size; seconds to its start",
    )


SCENARIOS = (Scenario(MEMORY, run_out_of_memory, needs_airflow=True, side_by_side=True),)
