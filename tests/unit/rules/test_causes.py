from __future__ import annotations

import pytest
from tests.unit.records import attempt

from pushtrain.contract import Attempt, Cause
from pushtrain.rules.causes import CUT_SHORT, NOT_CHARGED, charged, counts, not_charged


def ended(*causes: Cause | None) -> list[Attempt]:
    return [attempt(n, cause=cause, ended_at=2.0) for n, cause in enumerate(causes, 1)]


def test_each_cause_is_counted_apart_in_one_order() -> None:
    counted = counts(ended(Cause.HUNG, Cause.KILLED, Cause.HUNG, Cause.FINISHED, Cause.HOST_LOST))
    assert list(counted.items()) == [
        (Cause.FINISHED, 1), (Cause.KILLED, 1), (Cause.HUNG, 2), (Cause.HOST_LOST, 1),
    ]  # fmt: skip
    assert charged(counted) == {Cause.KILLED: 1, Cause.HUNG: 2}
    assert not_charged(counted) == {Cause.HOST_LOST: 1}


def test_an_attempt_under_way_is_not_counted() -> None:
    assert counts([attempt(1), attempt(2, cause=Cause.HUNG)]) == {}


def test_an_end_that_nobody_saw_counts_as_lost() -> None:
    assert counts(ended(None)) == {Cause.LOST: 1}


@pytest.mark.parametrize("cause", [c for c in Cause if c not in CUT_SHORT], ids=str)
def test_an_end_that_was_meant_is_charged_nowhere(cause: Cause) -> None:
    counted = counts(ended(cause))
    assert counted == {cause: 1}
    assert charged(counted) == not_charged(counted) == {}


def test_what_is_not_charged_was_cut_short() -> None:
    assert NOT_CHARGED < CUT_SHORT
