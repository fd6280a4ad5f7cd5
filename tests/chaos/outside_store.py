"""The disk under the store is full or taken away, and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.chaos.diaries import begun_epochs
from tests.chaos.outcome import Outcome
from tests.chaos.outside_world import Outside
from tests.chaos.own_engine import lacking
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.trainings import STEADY, Disturbed, judge, look_until

from pushtrain.contract import Cause, State

FULL = "disk under the store full"
AWAY = "store unmounted"
WAITS = "can not be written yet"
AT_ONCE = STEADY.replace("PAUSE = 0.05", "PAUSE = 0")


def full_disk(setup: Setup) -> Outcome:
    """Fill the disk while a training runs; it ends while nothing can be written."""
    outside = Outside.of(setup)
    disk = outside.open_disk
    return _without_disk(outside, FULL, "full_disk", disk.fill, disk.free, WAITS)


def unmounted(setup: Setup) -> Outcome:
    """Unmount the store under Airflow; the training keeps its folders and ends meanwhile."""
    outside = Outside.of(setup)
    disk = outside.open_disk
    made: list[str] = []

    def mount() -> None:
        made.extend(path.name for path in disk.place.iterdir())
        disk.mount()

    outcome = _without_disk(outside, AWAY, "unmounted", disk.unmount, mount, ", evaluate)")
    assert not made, f"made in the empty place of the store: {made}"
    return outcome


def _without_disk(
    outside: Outside,
    name: str,
    stem: str,
    take: Callable[[], None],
    give_back: Callable[[], None],
    last_words: str,
) -> Outcome:
    """Take the disk away from a training that goes on, and from a push that comes meanwhile."""
    outside.use(live_restore=True)
    reference, training = outside.reference, Disturbed(outside, f"{stem}.py").push()
    later = Disturbed(outside, f"{stem}_later.py")
    training.wait_for_epochs(2)
    container, run = training.attempts[0].container, training.step().run_id

    def said() -> list[str]:
        return outside.engine.docker("logs", container).stdout.splitlines()

    take()
    try:
        before = len(begun_epochs(said()))
        look_until("epochs without the disk", lambda: len(begun_epochs(said())) > before + 2)
        later.push(AT_ONCE)
        outside.hurry_in(container)
        look_until("its last words", lambda: any(last_words in line for line in said()))
        look_until("a task that is tried again", outside.failed_trainings)
        outside.say(name, "the training is done, and waits")
    finally:
        back_at = time.time()
        give_back()
    training.wait("end", lambda: outside.world.run_state(run) == "success")
    seconds = time.time() - back_at
    training.end()
    assert [a.cause for a in training.attempts] == [Cause.FINISHED], training.attempts
    later.wait_for_attempt(1)
    assert later.end().state is State.REACHED
    assert len(later.attempts) == 1
    return judge(training, reference).outcome(
        name, note=f"all caught up {seconds:.0f} s after the disk was back"
    )


SCENARIOS = (
    Scenario(FULL, full_disk, lacking=lacking()),
    Scenario(AWAY, unmounted, lacking=lacking()),
)
