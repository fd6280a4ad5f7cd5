from __future__ import annotations

import pytest
from tests.unit.records import attempt

from pushtrain.contract import Attempt, Cause
from pushtrain.rules.outcomes import deciding_attempt
from pushtrain.rules.restart import Restart, decide, decide_batch
from pushtrain.rules.resume import forgiven

FINISHED, KILLED, MEMORY = Cause.FINISHED, Cause.KILLED, Cause.OUT_OF_MEMORY


def ended(*causes: Cause, work: float = 0.0) -> list[Attempt]:
    return [attempt(n, cause=c, ended_at=2.0, work=work) for n, c in enumerate(causes, start=1)]


def numbers(trainings: dict[int, list[Attempt]]) -> dict[int, list[int]]:
    marked = forgiven(trainings)
    assert all(a.forgiven for attempts in marked.values() for a in attempts)
    return {n: [a.number for a in attempts] for n, attempts in marked.items()}


@pytest.mark.parametrize(
    ("trainings", "marked"),
    [
        ({0: ended(KILLED, KILLED)}, {0: [1, 2]}),
        ({0: ended(Cause.STOPPED)}, {0: [1]}),
        ({0: ended(MEMORY)}, {0: [1]}),
        # the run died behind the training: its own starts are forgiven, the training stays
        ({0: ended(FINISHED, Cause.LOST, Cause.LOST)}, {0: [2, 3]}),
        # of candidates the one that was stopped goes on, the others are what they are
        ({1: ended(FINISHED), 2: ended(MEMORY), 3: ended(Cause.STOPPED)}, {3: [1]}),
        ({1: ended(Cause.HOPELESS), 2: ended(KILLED)}, {2: [1]}),
        # none of them brought a result: all are tried once more
        ({1: ended(MEMORY), 2: ended(Cause.SCRIPT_ERROR)}, {1: [1], 2: [1]}),
        ({0: []}, {}),
    ],
    ids=["killed", "stopped", "memory", "behind", "candidates", "hopeless", "none", "no attempt"],
)
def test_what_counts_no_more_after_a_resume(
    trainings: dict[int, list[Attempt]], marked: dict[int, list[int]]
) -> None:
    assert numbers(trainings) == marked


def test_what_was_forgiven_once_is_not_written_again() -> None:
    first = forgiven({0: ended(KILLED, KILLED)})
    assert forgiven(first) == {}


def test_the_count_to_the_limit_begins_anew() -> None:
    before = ended(KILLED, KILLED, KILLED)
    assert not isinstance(decide(before, limit=3), Restart)
    after = [*forgiven({0: before})[0], attempt(4, cause=KILLED, ended_at=3.0)]
    assert isinstance(decide(after, limit=3), Restart)


def test_what_ran_out_of_memory_is_trained_again_and_ends_the_round_again() -> None:
    after = forgiven({0: ended(MEMORY)})[0]
    assert deciding_attempt(0, after) is None
    again = attempt(2, cause=MEMORY, ended_at=3.0)
    assert deciding_attempt(0, [*after, again]) == again


def test_a_run_that_dies_behind_a_training_is_started_anew_after_a_resume() -> None:
    finished, *lost = ended(FINISHED, Cause.LOST, Cause.LOST, Cause.LOST)
    assert not isinstance(decide_batch({0: [finished, *lost]}, limit=3), Restart)
    marked = forgiven({0: [finished, *lost]})[0]
    later = attempt(5, cause=Cause.LOST, ended_at=3.0)
    assert isinstance(decide_batch({0: [finished, *marked, later]}, limit=3), Restart)
