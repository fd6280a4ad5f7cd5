"""A Keras training that needs too much memory reaches its target with smaller batches."""

from __future__ import annotations

import itertools

import pytest
from tests.system.world import World

from pushtrain.adapters.mirror import EXPERIMENT_REFS
from pushtrain.contract import Cause, Experiment, State
from pushtrain.history import RoundOutcome

SCRIPT = "hungry_ann.py"


@pytest.fixture(scope="module")
def fed(world: World) -> Experiment:
    """Push a script whose batches need more than a container may have; wait for its end."""
    world.lay(SCRIPT)
    return world.wait_for_end(world.id_of(SCRIPT, world.push("Add a hungry one")))


@pytest.fixture(scope="module")
def rounds(world: World, fed: Experiment) -> list[RoundOutcome]:
    return world.store.rounds(fed.id)


def test_smaller_batches_reach_the_target(
    world: World, fed: Experiment, rounds: list[RoundOutcome]
) -> None:
    assert fed.state is State.REACHED, world.story(fed.id)
    assert fed.restarts == 0
    assert rounds[0].out_of_memory
    assert [r.accuracy is not None for r in rounds] == [False] * (len(rounds) - 1) + [True]
    assert fed.best_round == len(rounds) - 1
    for one in rounds:
        (attempt,) = world.store.attempts(fed.id, one.round)
        assert attempt.cause is (Cause.OUT_OF_MEMORY if one.out_of_memory else Cause.FINISHED)


def test_each_halving_is_a_commit_of_its_own(
    world: World, fed: Experiment, rounds: list[RoundOutcome]
) -> None:
    log = world.repo.git(
        "--git-dir", str(world.mirror.path), "log", "--reverse", "--format=%s",
        f"{fed.commit}..{EXPERIMENT_REFS}{fed.id}",
    )  # fmt: skip
    sizes = [128 // 2**n for n in range(len(rounds))]
    assert log.splitlines() == [
        f"Round {n}: batch_size {old} -> {new}"
        for n, (old, new) in enumerate(itertools.pairwise(sizes), start=1)
    ]
    best = world.store.commit_of(fed, len(rounds) - 1)
    assert f"batch_size={sizes[-1]}" in world.mirror.sources(best)[fed.script]


def test_the_run_of_a_starved_round_ends_well_and_its_note_tells_why_the_next(
    world: World, fed: Experiment
) -> None:
    assert world.run_state(f"{fed.id}.r0.a1") == "success"
    tweak = world.store.tweak(fed.id, 1)
    assert tweak
    assert "round 0 ran out of memory at batch size 128" in tweak.reason
    assert "the memory limit of 1024 MiB was hit" in tweak.reason
    assert not world.mails("training restarted", SCRIPT)
