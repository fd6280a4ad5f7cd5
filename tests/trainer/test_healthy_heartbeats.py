"""Whatever a healthy training does, its heartbeat never looks like a hang."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushtrain.contract import Attempt, Heartbeat, Step
from pushtrain.rules.watch import Limits, Training, hang_of
from pushtrain_trainer import beat as beats
from pushtrain_trainer.beat import Beat

LIMITS = Limits(startup_seconds=120, hang_factor=10, quiet_seconds=3600, lost_seconds=60)
ATTEMPT = Attempt(1, "a.r0.a1", "c", "i", "e", started_at=0.0)


@dataclass
class Clock:
    """The only clock there is."""

    now: float = 0.0

    def time(self) -> float:
        return self.now

    monotonic = time


@dataclass
class Plan:
    """A healthy training: what each part of it takes, in seconds."""

    batches: int
    epochs: int
    known: bool  # whether it is known beforehand how many batches an epoch has
    resumed_at: tuple[int, int]  # epoch and batch that it goes on at
    loading: float
    tracing: float  # what the first batch of a process takes beyond a batch
    batch: float
    validation: float
    callbacks: float  # at the end of each epoch, and before the next one
    pauses: list[float] = field(default_factory=list)  # within ten times a batch


plans = st.builds(
    Plan,
    batches=st.integers(1, 12),
    epochs=st.integers(1, 5),
    known=st.booleans(),
    resumed_at=st.tuples(st.integers(0, 3), st.integers(0, 11)),
    loading=st.floats(0, 3600),
    tracing=st.floats(0, 3500),
    batch=st.floats(1e-4, 100),
    validation=st.floats(0, 3600),
    callbacks=st.floats(0, 3600),
    pauses=st.lists(st.floats(0, 9), max_size=5),
)


def steps(plan: Plan, beat: Beat) -> Iterator[float]:
    """Do the training; each number is a silence that comes before the next word."""
    beat.phase("script")
    yield plan.loading
    batches = plan.batches if plan.known else 0
    beat.phase("fit", fit=1, epoch=0, batch=0, batches=batches, epochs=plan.epochs)
    first_epoch, first_batch = plan.resumed_at
    first = True
    for epoch in range(first_epoch, first_epoch + plan.epochs):
        beat.phase("fit", epoch=epoch + 1, batch=0)
        start = min(first_batch, plan.batches - 1) if epoch == first_epoch else 0
        for batch in range(start, plan.batches):
            pause = plan.pauses[batch] * plan.batch if batch < len(plan.pauses) else plan.batch
            yield plan.tracing + plan.batch if first else pause
            first = False
            beat.progress(batch=batch + 1)
        yield plan.validation
        beat.progress()
        yield plan.callbacks
        beat.progress(loss=1.0)
        yield plan.callbacks
    beat.phase("script")
    yield plan.loading


@settings(max_examples=200, deadline=None)
@given(plan=plans)
def test_a_healthy_training_never_hangs(plan: Plan) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(beats, "time", clock)
        beat = Beat(Path(folder), 1, lambda aside: None)
        for silence in steps(plan, beat):
            clock.now += silence
            said = Heartbeat.from_dict(json.loads((Path(folder) / "heartbeat.json").read_text()))
            training = Training(0, [ATTEMPT], said)
            # what is written is up to a second old
            assert not hang_of(Step("a", 0, 1), training, clock.now - 1, LIMITS), (said, plan)


@pytest.mark.parametrize("at", ["middle", "second epoch"])
def test_one_that_stops_in_the_midst_hangs(at: str, tmp_path: Path) -> None:
    """So the test above is not passed by patience alone."""
    clock, plan = Clock(), Plan(10, 3, True, (0, 0), 5, 5, 1.0, 5, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beats, "time", clock)
        beat = Beat(tmp_path, 1, lambda aside: None)
        for number, silence in enumerate(steps(plan, beat)):
            clock.now += silence
            if number == (5 if at == "middle" else 20):
                break
    said = Heartbeat.from_dict(json.loads((tmp_path / "heartbeat.json").read_text()))
    training = Training(0, [ATTEMPT], said)
    assert hang_of(Step("a", 0, 1), training, clock.now + 125, LIMITS)
