from __future__ import annotations

import dataclasses

import pytest
from tests.unit.pages.builders import attempt, details_of
from tests.unit.records import heartbeat

from pushtrain.contract import Cause
from pushtrain.pages.incidents import incidents_of, told_ends

BEAT = heartbeat(fit=1, epoch=3, epochs=10, batch=25, batches=100)
KILLED = attempt(
    1, cause=Cause.KILLED, message="exit code 137", ended_at=1040.0, epochs=2, work=2.25,
    reached=BEAT,
)  # fmt: skip


def test_an_incident_tells_cause_place_what_was_saved_and_how_it_went_on() -> None:
    (one,) = incidents_of(details_of(attempts=(KILLED, attempt(2, started_at=1052.4))))
    assert one.story == (
        "attempt 1: killed, exit code 137, in epoch 3 of 10, batch 25 of 100; saved: "
        "2.25 of 10 epochs, nothing was lost; went on 12 s later as attempt 2"
    )
    assert (one.attempt, one.cause, one.at) == (1, Cause.KILLED, 1040.0)


def test_a_resume_by_hand_is_told_as_such() -> None:
    before = [
        dataclasses.replace(KILLED, number=n, forgiven=True, ended_at=1000.0 + n) for n in (1, 2)
    ]
    told = incidents_of(details_of(attempts=(*before, attempt(3, started_at=1062.0))))
    assert ["resumed by hand" in one.story for one in told] == [False, True]
    assert told[1].story.endswith("; resumed by hand 60 s later as attempt 3")


@pytest.mark.parametrize("cause", [Cause.FINISHED, Cause.HOPELESS, None])
def test_what_ended_as_it_was_meant_to_is_no_incident(cause: Cause | None) -> None:
    ended_at = None if cause is None else 1040.0
    assert incidents_of(details_of(attempts=(attempt(1, cause=cause, ended_at=ended_at),))) == ()


def test_a_training_that_was_marked_as_hung_but_lives_is_told_when_it_has_ended() -> None:
    assert incidents_of(details_of(attempts=(attempt(1, cause=Cause.HUNG, ended_at=None),))) == ()


def test_each_incident_has_its_own_evidence() -> None:
    attempts = (
        dataclasses.replace(KILLED, cause=Cause.HUNG),
        attempt(2, cause=Cause.SCRIPT_ERROR),
        attempt(3, cause=Cause.LOST),
    )
    stack = "\n".join(f"frame {n}" for n in range(100))
    details = details_of(attempts=attempts, stacks={1: stack}, tracebacks={2: "Tb"}, late=(3,))
    hung, raised, lost = incidents_of(details)
    assert hung.stack.splitlines() == [f"frame {n}" for n in range(70, 100)]
    assert (raised.traceback, raised.stack, raised.is_late) == ("Tb", "", False)
    assert (lost.traceback, lost.is_late) == ("", True)


def test_counts_are_told_apart() -> None:
    assert told_ends({"killed": 2, "out of memory": 1}) == "2 killed, 1 out of memory"
    assert told_ends({}) == ""
