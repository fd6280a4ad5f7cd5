"""Parts of Airflow that are killed, one by one and all at once, under a training that goes on."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial

from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import (
    QUICK,
    STEADY,
    Disturbed,
    Reference,
    containers_once,
    judge,
    lost_mails,
)
from tests.system.world import World

from pushtrain.contract import State
from pushtrain.errors import OutsideError
from pushtrain.local import processes
from pushtrain.local.airflow_parts import PARTS, pid_of, process_of
from pushtrain.slugs import slug

ALL = "all of Airflow at once"


def prepare(scenario: str, setup: Setup) -> None:
    """Push the training that a scenario disturbs later."""
    Reference.of(setup)
    # long enough for all that comes before it
    training_of(scenario, setup).push(STEADY.replace("PAUSE = 0.05", "PAUSE = 0.25"))


def training_of(scenario: str, setup: Setup) -> Disturbed:
    """Return the training of a scenario."""
    return Disturbed(setup, f"under_{slug(scenario).replace('-', '_')}.py")


def kill_part(part: str, setup: Setup) -> Outcome:
    """Kill a part: the set-up starts it again by itself, and nothing was missed meanwhile."""
    world = setup.world
    before = pid_of(world.home, part)
    assert before, f"the {part} does not run"

    def kill() -> None:
        processes.send([before], signal.SIGKILL)

    def revive() -> None:
        world.wait(f"another {part}", lambda: is_another(world, part, before))

    return disturbed(part, setup, kill, revive)


def kill_all(setup: Setup) -> Outcome:
    """Kill every process of Airflow, also what would start its parts again, and start it anew."""
    world = setup.world
    airflow = process_of(world.home)

    def kill() -> None:
        while members := airflow.members():
            processes.send(members, signal.SIGKILL)

    return disturbed(ALL, setup, kill, world.start)


def is_another(world: World, part: str, before: int) -> bool:
    """Tell whether a part runs in another process, and Airflow's health knows of no sick one."""
    if pid_of(world.home, part) in (before, None):
        return False
    try:
        return not world.api.sick_parts()
    except OutsideError:
        return False


def disturbed(
    scenario: str, setup: Setup, kill: Callable[[], None], revive: Callable[[], None]
) -> Outcome:
    """Kill and revive under a training, push something meanwhile, return what came of both."""
    training, reference = training_of(scenario, setup), Reference.of(setup)
    training.wait_for_attempt(1, epochs=1)
    epochs, at = training.epochs, time.time()
    kill()
    setup.say(scenario, f"killed after {epochs} epochs")
    pushed = Disturbed(setup, f"pushed_{training.script.removeprefix('under_')}").push(QUICK)
    revive()
    revived_after = time.time() - at
    setup.say(scenario, f"back after {revived_after:.0f} s")
    training.wait_for_a_batch()
    missed = came_through(pushed)
    works_after = time.time() - at
    setup.say(scenario, f"what was pushed meanwhile is done after {works_after:.0f} s")
    training.end()
    verdict = judge(training, reference)
    assert verdict.attempts == 1, setup.world.story(training.id)
    note = f"back after {revived_after:.0f} s, a push done after {works_after:.0f} s"
    return verdict.outcome(scenario, also_lost=missed, note=note)


def came_through(pushed: Disturbed) -> str:
    """Wait for what was pushed while something was gone; return what of it was lost."""
    pushed.wait("opening", lambda: pushed.found)
    experiment = pushed.world.wait_for_end(pushed.id)
    pushed.wait("settling", lambda: pushed.world.store.experiment(pushed.id).settled)
    if experiment.state is not State.REACHED:
        return f"{pushed.script}: {experiment.state}"
    if not containers_once(pushed):
        return f"{pushed.script}: trained in {pushed.world.containers.made(pushed.id)}"
    subjects = [m.subject for m in pushed.world.mails_about(pushed.script)]
    return lost_mails(subjects, experiment.restarts)


SCENARIOS = (
    *(
        Scenario(part, partial(kill_part, part), needs_airflow=True, prepare=partial(prepare, part))
        for part in PARTS
    ),
    Scenario(ALL, kill_all, needs_airflow=True, prepare=partial(prepare, ALL)),
)
