"""The container engine goes away and comes back, with and without its containers."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.chaos.diaries import first_batch
from tests.chaos.outcome import Outcome
from tests.chaos.outside_world import Outside
from tests.chaos.own_engine import lacking
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import Disturbed, judge, look_until

from pushtrain.contract import Cause

KEPT = "engine killed, stopped (live-restore)"
DROPPED = "engine stopped, killed (no live-restore)"
POWER = "engine, shims, containers at once"
DUE = "engine down while a restart is due"
DOWN_SECONDS = 60.0


def kept_containers(setup: Setup) -> Outcome:
    """Kill the engine, stop it the next time; the training ends while it is down."""
    outside = Outside.of(setup)
    outside.use(live_restore=True)
    reference, training = outside.reference, Disturbed(outside, "kept_container.py").push()
    training.wait_for_epochs(2)
    outside.engine.kill()
    training.wait_for_more()
    outside.start_engine(live_restore=True)
    training.wait_for_more()
    outside.engine.stop()
    training.hurry()
    training.wait("result", (training.output / "result.json").exists)
    outside.start_engine(live_restore=True)
    training.end()
    assert [a.cause for a in training.attempts] == [Cause.FINISHED], training.attempts
    return judge(training, reference).outcome(KEPT, tried=2)


def dropped_containers(setup: Setup) -> Outcome:
    """Stop and start the engine, then kill and start it: each time the container ends with it."""
    outside = Outside.of(setup)
    acts = (outside.engine.stop, outside.engine.kill)
    return _lost(outside, DROPPED, "dropped_container.py", acts)


def power_cut(setup: Setup) -> Outcome:
    """Kill all that the engine consists of and all that it runs, as a power cut does."""
    outside = Outside.of(setup)
    return _lost(outside, POWER, "power_cut.py", (outside.engine.cut_power,) * setup.tries(3))


def _lost(
    outside: Outside, name: str, script: str, acts: tuple[Callable[[], None], ...]
) -> Outcome:
    outside.use(live_restore=False)
    reference, training = outside.reference, Disturbed(outside, script).push()
    back_at = []
    for attempt, act in enumerate(acts, start=1):
        training.wait_for_attempt(attempt)
        act()
        back_at.append(time.time())
        outside.start_engine(live_restore=False)
        outside.say(name, f"started again after {training.epochs} epochs")
    training.wait_for_attempt(len(acts) + 1, epochs=1)
    training.end()
    causes = [a.cause for a in training.attempts]
    assert causes == [Cause.HOST_LOST] * len(acts) + [Cause.FINISHED], training.attempts
    seconds = _seconds_after(training, back_at)
    return judge(training, reference).outcome(name, tried=len(acts), seconds=seconds)


def restart_is_due(setup: Setup) -> Outcome:
    """Kill a training and take the engine away before it can be started again."""
    outside = Outside.of(setup)
    outside.use(live_restore=True)
    reference, training = outside.reference, Disturbed(outside, "restart_is_due.py").push()
    training.wait_for_epochs(2)
    outside.engine.docker("kill", training.attempts[0].container)
    outside.engine.kill()
    look_until("a plan that fails", lambda: outside.waiting_tasks("plan_restarts"))
    time.sleep(0 if setup.short else DOWN_SECONDS)
    back_at = time.time()
    outside.start_engine(live_restore=True)
    training.wait_for_attempt(2, epochs=1)
    training.end()
    first, last = (a.cause for a in training.attempts)
    # who asks after the engine has gone can not know which of them died first
    assert first in (Cause.KILLED, Cause.HOST_LOST), training.attempts
    assert last is Cause.FINISHED, training.attempts
    return judge(training, reference).outcome(
        DUE, tried=1, seconds=_seconds_after(training, [back_at])
    )


def _seconds_after(training: Disturbed, moments: list[float]) -> tuple[float, ...]:
    """Return how long each restart took to its first batch, from the engine's start on."""
    begun = [first_batch(training.log(number)) for number in range(2, len(moments) + 2)]
    return tuple(at - since for at, since in zip(begun, moments, strict=True) if at)


SCENARIOS = (
    Scenario(KEPT, kept_containers, lacking=lacking()),
    Scenario(DROPPED, dropped_containers, lacking=lacking()),
    Scenario(POWER, power_cut, lacking=lacking()),
    # the task waits for its engine for minutes before a restart is due
    Scenario(DUE, restart_is_due, short=False, lacking=lacking()),
)
