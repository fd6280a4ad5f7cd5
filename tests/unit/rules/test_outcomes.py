from __future__ import annotations

import dataclasses

import pytest
from tests.unit.records import attempt

from pushtrain.contract import Attempt, Cause, ExitCode
from pushtrain.rules.outcomes import (
    deciding_attempt,
    failure_of,
    is_hopeless,
    is_out_of_memory,
)


def ended(cause: Cause, number: int = 1, epochs: int = 0, code: int = 10) -> Attempt:
    return attempt(number, cause=cause, epochs=epochs, exit_code=code, ended_at=2.0, message="why")


@pytest.mark.parametrize(
    ("cause", "epochs", "failed"),
    [
        (Cause.SCRIPT_ERROR, 0, True),
        (Cause.SCRIPT_ERROR, 1, False),  # it fitted: the error may be gone the next time
        (Cause.NO_METRIC, 0, True),
        (Cause.NO_METRIC, 5, True),
        (Cause.OUT_OF_MEMORY, 0, True),
        (Cause.OUT_OF_MEMORY, 5, True),
        (Cause.LEFT_OUT, 0, True),
        (Cause.KILLED, 0, False),
        (Cause.HUNG, 0, False),
        (Cause.LOST, 0, False),
        (Cause.HOST_LOST, 0, False),
        (Cause.STOPPED, 0, False),
        (Cause.SUPERSEDED, 0, False),
        (Cause.FINISHED, 5, False),
        (Cause.HOPELESS, 2, False),
    ],
)
def test_a_later_round_fails_for_good_where_its_tweak_is_to_blame(
    cause: Cause, epochs: int, failed: bool
) -> None:
    assert failure_of(2, [ended(cause, epochs=epochs)]) == (f"{cause}: why" if failed else "")


@pytest.mark.parametrize("cause", [Cause.SCRIPT_ERROR, Cause.NO_METRIC, Cause.HOPELESS])
def test_the_round_that_was_pushed_is_no_trial(cause: Cause) -> None:
    assert deciding_attempt(0, [ended(cause)]) is None
    assert failure_of(0, [ended(cause)]) == ""
    assert not is_hopeless(0, [ended(cause)])


@pytest.mark.parametrize("number", [0, 2])
def test_what_ran_out_of_memory_is_not_repeated_as_it_is(number: int) -> None:
    attempts = [ended(Cause.KILLED), ended(Cause.OUT_OF_MEMORY, 2, epochs=1)]
    assert deciding_attempt(number, attempts) == attempts[1]
    assert failure_of(number, attempts) == "out of memory: why"
    assert is_out_of_memory(number, attempts)
    assert not is_out_of_memory(number, attempts[:1])


@pytest.mark.parametrize("cause", [Cause.OUT_OF_MEMORY, Cause.LEFT_OUT, Cause.SCRIPT_ERROR])
def test_what_a_person_had_resumed_decides_nothing_any_more(cause: Cause) -> None:
    assert deciding_attempt(2, [dataclasses.replace(ended(cause), forgiven=True)]) is None


def test_a_training_that_finished_stays_finished_after_a_resume() -> None:
    finished = dataclasses.replace(ended(Cause.FINISHED), forgiven=True)
    assert deciding_attempt(2, [finished]) == finished


def test_our_own_mistake_is_not_the_tweak_s() -> None:
    assert deciding_attempt(2, [ended(Cause.SCRIPT_ERROR, code=ExitCode.USAGE)]) is None


def test_a_round_that_was_stopped_early_is_hopeless_and_no_failure() -> None:
    attempts = [ended(Cause.KILLED), ended(Cause.HOPELESS, 2, epochs=2)]
    assert is_hopeless(2, attempts)
    assert failure_of(2, attempts) == ""


def test_the_first_attempt_that_decides_stays_the_one() -> None:
    attempts = [ended(Cause.KILLED), ended(Cause.NO_METRIC, 2), ended(Cause.LOST, 3)]
    assert deciding_attempt(2, attempts) == attempts[1]
    assert deciding_attempt(2, attempts[:1]) is None
    assert deciding_attempt(2, []) is None


def test_a_cause_that_is_only_marked_decides_nothing_yet() -> None:
    assert deciding_attempt(2, [attempt(1, cause=Cause.LEFT_OUT)]) is None
