"""What becomes of a step that trains several rounds side by side, when its run ended early."""

from __future__ import annotations

import pytest
from tests.unit.records import attempt

from pushtrain.contract import Attempt, Cause, ExitCode
from pushtrain.rules.restart import BACKOFF_SECONDS, GiveUp, LeaveOut, Restart, decide_batch

END = 2000.0
KILLED, FINISHED = (Cause.KILLED, 0), (Cause.FINISHED, 4)
ERROR = Cause.SCRIPT_ERROR


def trainings(**rounds: list[tuple[Cause, int]]) -> dict[int, list[Attempt]]:
    """Return the attempts of rounds (`r3=[...]`), each with its cause and the epochs then."""
    return {
        int(name[1:]): [
            attempt(n, cause=cause, epochs=epochs, ended_at=END, message="why")
            for n, (cause, epochs) in enumerate(ends, start=1)
        ]
        for name, ends in rounds.items()
    }


def test_one_that_was_killed_starts_again_whatever_became_of_the_others() -> None:
    verdict = decide_batch(trainings(r3=[FINISHED], r4=[KILLED], r5=[(ERROR, 0)]), limit=3)
    assert verdict == Restart(END + BACKOFF_SECONDS[1], "attempt 1 ended: killed (why)")


def test_the_longest_backoff_counts() -> None:
    verdict = decide_batch(trainings(r3=[KILLED], r4=[KILLED, KILLED]), limit=3)
    assert isinstance(verdict, Restart)
    assert verdict.not_before == END + BACKOFF_SECONDS[2]


def test_one_that_is_given_up_does_not_hide_the_others() -> None:
    verdict = decide_batch(trainings(r3=[FINISHED], r4=[KILLED] * 3), limit=3)
    assert isinstance(verdict, LeaveOut)
    assert list(verdict.why) == [4]
    assert "3 starts in a row" in verdict.why[4]


def test_without_any_other_a_training_that_is_given_up_ends_the_experiment() -> None:
    for rounds in (trainings(r3=[KILLED] * 3), trainings(r3=[KILLED] * 3, r4=[KILLED] * 3)):
        assert isinstance(decide_batch(rounds, limit=3), GiveUp)


@pytest.mark.parametrize(("number", "kind"), [(0, GiveUp), (1, LeaveOut)])
def test_an_error_after_progress_that_comes_again_is_the_tweak_s(number: int, kind: type) -> None:
    ends = [(ERROR, 4), (ERROR, 4)]
    assert isinstance(decide_batch(trainings(**{f"r{number}": ends}), limit=3), kind)


def test_what_is_set_wrong_is_not_the_tweak_s() -> None:
    wrong = attempt(1, cause=ERROR, exit_code=ExitCode.USAGE, ended_at=END, message="gpus = 1")
    verdict = decide_batch({3: [wrong]}, limit=3)
    assert verdict == GiveUp("attempt 1 ended: script error (gpus = 1)")


def test_what_a_person_stopped_is_not_gone_on_without() -> None:
    verdict = decide_batch(trainings(r3=[FINISHED], r4=[(Cause.STOPPED, 0)]), limit=3)
    assert isinstance(verdict, GiveUp)
    assert "stopped by a person" in verdict.reason


@pytest.mark.parametrize(
    "first", [FINISHED, (Cause.HOPELESS, 2), (Cause.NO_METRIC, 0), (Cause.LEFT_OUT, 0), (ERROR, 0)]
)
def test_a_run_that_died_behind_its_trainings_starts_again(first: tuple[Cause, int]) -> None:
    verdict = decide_batch(trainings(r3=[first], r4=[FINISHED]), limit=3)
    assert isinstance(verdict, Restart)


def test_a_run_that_dies_behind_its_trainings_again_and_again_is_given_up() -> None:
    lost = [(Cause.LOST, 4)] * 3
    assert isinstance(decide_batch(trainings(r3=[FINISHED, *lost[:2]]), limit=3), Restart)
    assert isinstance(decide_batch(trainings(r3=[FINISHED, *lost]), limit=3), GiveUp)


def test_kills_before_it_was_left_out_are_no_reason_against_the_others() -> None:
    rounds = trainings(r3=[KILLED, KILLED, (Cause.LEFT_OUT, 0)], r4=[FINISHED])
    assert isinstance(decide_batch(rounds, limit=3), Restart)
