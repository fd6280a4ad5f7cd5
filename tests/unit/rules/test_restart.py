from __future__ import annotations

import dataclasses

import pytest
from tests.unit.records import attempt

from pushtrain.contract import Attempt, Cause, Step
from pushtrain.rules.restart import (
    BACKOFF_SECONDS,
    GiveUp,
    Restart,
    decide,
    is_closed,
    starts_without_progress,
)

END = 2000.0


def attempts(*ends: tuple[Cause, int]) -> list[Attempt]:
    """Return attempts that ended so, each with the epochs that the round had then."""
    return [
        attempt(n, cause=cause, epochs=epochs, ended_at=END, message="why")
        for n, (cause, epochs) in enumerate(ends, start=1)
    ]


@pytest.mark.parametrize(
    ("epochs", "idle"),
    [((0,), 1), ((2,), 0), ((0, 0), 2), ((2, 2), 1), ((2, 4), 0), ((2, 4, 4, 4), 2), ((0, 1), 0)],
)
def test_starts_without_progress_count_from_the_last_finished_epoch(
    epochs: tuple[int, ...], idle: int
) -> None:
    assert starts_without_progress(attempts(*((Cause.KILLED, e) for e in epochs))) == idle


@pytest.mark.parametrize(("forgiven", "idle"), [((), 4), ((1, 2), 2), ((1, 2, 3, 4), 0)])
def test_a_resume_by_hand_begins_the_count_anew(forgiven: tuple[int, ...], idle: int) -> None:
    ended = [
        dataclasses.replace(a, forgiven=a.number in forgiven)
        for a in attempts(*[(Cause.KILLED, 0)] * 4)
    ]
    assert starts_without_progress(ended) == idle


@pytest.mark.parametrize(("work", "idle"), [((0.5, 0.5), 1), ((0.5, 0.7), 0), ((0.0, 0.0), 2)])
def test_a_part_of_an_epoch_in_a_checkpoint_is_progress(work: tuple[float, ...], idle: int) -> None:
    ended = [attempt(n, cause=Cause.KILLED, work=w, ended_at=END) for n, w in enumerate(work, 1)]
    assert starts_without_progress(ended) == idle


@pytest.mark.parametrize("cause", [Cause.KILLED, Cause.HUNG, Cause.LOST, Cause.HOST_LOST,
                                   Cause.SUPERSEDED])  # fmt: skip
def test_what_came_from_outside_starts_again(cause: Cause) -> None:
    verdict = decide(attempts((cause, 0)), limit=3)
    assert isinstance(verdict, Restart)
    assert verdict.reason == f"attempt 1 ended: {cause} (why)"


@pytest.mark.parametrize("cause", [Cause.STOPPED, Cause.OUT_OF_MEMORY, Cause.NO_METRIC])
def test_what_would_repeat_itself_or_was_wanted_is_given_up(cause: Cause) -> None:
    # also after progress: the next start would meet the same end
    for epochs in (0, 5):
        verdict = decide(attempts((cause, epochs)), limit=3)
        assert isinstance(verdict, GiveUp)
        assert cause in verdict.reason


def test_an_error_of_the_script_is_given_up() -> None:
    assert isinstance(decide(attempts((Cause.SCRIPT_ERROR, 0)), limit=3), GiveUp)


def test_an_error_of_the_script_after_progress_is_tried_once_more() -> None:
    once = decide(attempts((Cause.SCRIPT_ERROR, 4)), limit=3)
    assert isinstance(once, Restart)
    twice = decide(attempts((Cause.SCRIPT_ERROR, 4), (Cause.SCRIPT_ERROR, 4)), limit=3)
    assert isinstance(twice, GiveUp)


def test_an_attempt_whose_end_nobody_saw_counts_as_lost() -> None:
    verdict = decide([attempt(1, ended_at=END)], limit=3)
    assert isinstance(verdict, Restart)
    assert "lost" in verdict.reason


def test_the_limit_counts_starts_in_a_row_without_progress() -> None:
    idle = [(Cause.KILLED, 0)] * 3
    assert isinstance(decide(attempts(*idle[:2]), limit=3), Restart)
    verdict = decide(attempts(*idle), limit=3)
    assert isinstance(verdict, GiveUp)
    assert "3 starts in a row" in verdict.reason


def test_progress_resets_the_count() -> None:
    ends = [(Cause.KILLED, 0), (Cause.KILLED, 0), (Cause.KILLED, 3), (Cause.KILLED, 3)]
    assert isinstance(decide(attempts(*ends), limit=3), Restart)


def test_a_training_that_always_makes_progress_is_never_given_up() -> None:
    ends = [(Cause.KILLED, epoch) for epoch in range(1, 50)]
    assert isinstance(decide(attempts(*ends), limit=1), Restart)


def test_a_lost_host_is_not_charged() -> None:
    ends = [(Cause.HOST_LOST, 0)] * 10
    assert isinstance(decide(attempts(*ends), limit=3), Restart)
    mixed = [*ends, (Cause.KILLED, 0), (Cause.KILLED, 0)]
    assert isinstance(decide(attempts(*mixed), limit=3), Restart)
    assert isinstance(decide(attempts(*mixed, (Cause.KILLED, 0)), limit=3), GiveUp)


@pytest.mark.parametrize(
    ("epochs", "wait"),
    [((3,), BACKOFF_SECONDS[0]), ((0,), BACKOFF_SECONDS[1]), ((0, 0), BACKOFF_SECONDS[2]),
     ((0,) * 3, BACKOFF_SECONDS[3]), ((0,) * 30, BACKOFF_SECONDS[3])],
)  # fmt: skip
def test_every_start_without_progress_waits_longer(epochs: tuple[int, ...], wait: float) -> None:
    verdict = decide(attempts(*((Cause.KILLED, e) for e in epochs)), limit=99)
    assert isinstance(verdict, Restart)
    assert verdict.not_before == END + wait


@pytest.mark.parametrize(
    ("cause", "waits"),
    [
        (Cause.KILLED, [0.0, 10.0, 30.0]),
        # never charged, so it waits on
        (Cause.HOST_LOST, [0.0, 10.0, 30.0, 90.0, 90.0]),
    ],
)
def test_the_limit_of_three_gives_up_where_the_third_wait_would_begin(
    cause: Cause, waits: list[float]
) -> None:
    ends, waited = [(cause, 4)], []
    while len(waited) < 5 and isinstance(verdict := decide(attempts(*ends), limit=3), Restart):
        waited.append(verdict.not_before - END)
        ends.append((cause, 4))
    assert waited == waits


def test_a_step_is_closed_once_the_end_of_each_round_is_on_record() -> None:
    both = [attempt(1, ended_at=END), attempt(2)]
    assert is_closed({0: both}, Step("a", 0, 1))
    assert not is_closed({0: both}, Step("a", 0, 2))
    assert not is_closed({0: both}, Step("a", 0, 3))
    assert not is_closed({3: [attempt(1, ended_at=END)], 4: [attempt(1)]}, Step("a", 3, 1))


def test_a_round_that_is_trained_needs_no_attempt_of_its_step() -> None:
    trained = [attempt(1, ended_at=END, cause=Cause.FINISHED)]
    killed = [attempt(1, ended_at=END, cause=Cause.KILLED)]
    again = [*killed, attempt(2, ended_at=END, cause=Cause.KILLED)]
    assert is_closed({3: trained, 4: again}, Step("a", 3, 2))
    assert not is_closed({3: trained, 4: killed}, Step("a", 3, 2))
