from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.records import attempt, heartbeat

from pushtrain.contract import Attempt, Cause, Heartbeat, Step
from pushtrain.rules.restart import Restart
from pushtrain.rules.watch import (
    Finding,
    Limits,
    RunState,
    Training,
    Trouble,
    examine,
    has_to_wait,
)

STEP = Step("cnn_digits-0123abcd", 0, 2)
LIMITS = Limits(startup_seconds=100, hang_factor=10, quiet_seconds=1000, lost_seconds=60)
START = 1000.0


def look(
    now: float,
    *,
    run: RunState = RunState.LIVE,
    attempts: list[Attempt] | None = None,
    beat: Heartbeat | None = None,
) -> Finding | None:
    known = [attempt(1, ended_at=1.0), attempt(2)] if attempts is None else attempts
    return examine(STEP, run, [Training(0, known, beat)], START, now, LIMITS)


def test_a_training_that_makes_progress_is_well() -> None:
    beat = heartbeat(attempt=2, at=START + 500, phase="fit", pace=1.0)
    assert look(START + 550, beat=beat) is None


@pytest.mark.parametrize(
    ("attempts", "says"),
    [
        ([], "before the training started"),
        ([attempt(2)], "while the training was under way"),
        ([attempt(2, ended_at=5.0, cause=Cause.KILLED, message="137")], "killed: 137"),
        ([attempt(2, ended_at=5.0, cause=Cause.NO_METRIC)], "no metric"),
        ([attempt(2, ended_at=5.0, cause=Cause.KILLED, message="\0a\n\ud800b")], ": ?a ?b"),
    ],
)
def test_a_run_that_ended_before_its_experiment_died(attempts: list[Attempt], says: str) -> None:
    found = look(START, run=RunState.ENDED, attempts=attempts)
    assert found is not None
    assert (found.step, found.trouble) == (STEP, Trouble.DIED)
    assert says in found.message


@pytest.mark.parametrize(("after", "lost"), [(59, False), (60, True), (9999, True)])
def test_a_step_without_a_run_is_lost_after_a_while(after: float, lost: bool) -> None:
    found = look(START + after, run=RunState.MISSING)
    assert (found is not None) == lost
    assert found is None or found.trouble is Trouble.LOST


@pytest.mark.parametrize(
    ("epoch", "pace", "silent", "hung"),
    [
        (2, 1.0, 100, False),  # ten times the pace is less than the least time
        (2, 1.0, 101, True),
        (2, 50.0, 500, False),
        (2, 50.0, 501, True),
        (2, 0.0, 1000, False),  # its pace is not known yet
        (2, 0.0, 1001, True),
        (1, 1.0, 1000, False),  # a callback at the end of the first epoch may take its time
        (1, 1.0, 1001, True),
    ],
)
def test_a_fit_hangs_after_many_times_its_own_pace(
    epoch: int, pace: float, silent: float, hung: bool
) -> None:
    beat = heartbeat(attempt=2, at=START, phase="fit", epoch=epoch, pace=pace)
    found = look(START + silent, beat=beat)
    assert (found is not None) == hung
    assert found is None or found.trouble is Trouble.HUNG


@pytest.mark.parametrize(
    ("batch", "batches", "pace", "silent", "hung"),
    [
        (1, 100, 1.0, 100, False),
        (1, 100, 1.0, 101, True),  # in the middle of the first epoch
        (99, 100, 20.0, 200, False),
        (99, 100, 20.0, 201, True),
        (100, 100, 1.0, 1000, False),  # at its end nobody knows what comes
        (0, 100, 1.0, 1000, False),
        (0, 100, 1.0, 1001, True),
        (5, 0, 1.0, 1000, False),  # how long the epoch is, is not known
        (5, 100, 0.0, 1000, False),
        (5, 100, 0.0, 1001, True),
    ],
)
def test_in_the_middle_of_the_first_epoch_a_fit_hangs_by_the_pace_of_its_batches(
    batch: int, batches: int, pace: float, silent: float, hung: bool
) -> None:
    beat = heartbeat(
        attempt=2, at=START, phase="fit", epoch=1, batch=batch, batches=batches, pace=pace
    )
    found = look(START + silent, beat=beat)
    assert (found is not None) == hung


def test_a_growing_fit_of_sklearn_hangs_by_the_pace_of_its_parts() -> None:
    for batches, hung in ((9, True), (0, False)):
        beat = heartbeat(attempt=2, at=START, phase="fit", batch=3, batches=batches, pace=1.0)
        assert (look(START + 101, beat=beat) is not None) == hung


@pytest.mark.parametrize(
    ("steps", "pace", "ran", "silent", "hung"),
    [
        (4, 1.0, 10, 1000, False),  # the first steps build graphs
        (4, 1.0, 10, 1001, True),
        (5, 1.0, 10, 100, False),
        (5, 1.0, 10, 101, True),
        (5, 50.0, 10, 500, False),
        (900, 1.0, 400, 400, False),  # it may look at its test data for as long as it trained
        (900, 1.0, 400, 401, True),
        (900, 1.0, 5000, 1000, False),  # but not longer than any script
        (900, 1.0, 5000, 1001, True),
    ],
)
def test_a_custom_loop_hangs_after_longer_than_all_that_came_before(
    steps: int, pace: float, ran: float, silent: float, hung: bool
) -> None:
    beat = heartbeat(attempt=2, at=START + ran, phase="loop", batch=steps, pace=pace)
    found = look(START + ran + silent, beat=beat)
    assert (found is not None) == hung


@pytest.mark.parametrize(("after", "lost"), [(9, False), (10, True)])
def test_a_restart_that_nobody_started_is_lost_soon(after: float, lost: bool) -> None:
    found = look(START + after, run=RunState.MISSING, attempts=[attempt(1, ended_at=1.0)])
    assert (found is not None) == lost


@pytest.mark.parametrize("fields", [{"forgiven": True}, {"cause": Cause.FINISHED}])
@pytest.mark.parametrize(("after", "lost"), [(59, False), (60, True)])
def test_what_a_person_takes_up_again_has_the_time_of_any_run(
    fields: dict[str, Any], after: float, lost: bool
) -> None:
    before = attempt(1, **{"cause": Cause.KILLED, "ended_at": 1.0} | fields)
    found = look(START + after, run=RunState.MISSING, attempts=[before])
    assert (found is not None) == lost


@pytest.mark.parametrize(("back", "lost"), [(59, False), (3600, True)])
def test_a_clock_that_was_set_back_hides_no_step_without_a_run(back: float, lost: bool) -> None:
    found = look(START - back, run=RunState.MISSING)
    assert (found is not None) == lost
    assert found is None or found.message == "no run of it since the clock was set back"


def test_a_start_in_the_future_hides_no_hang() -> None:
    ahead = [attempt(2, started_at=START + 3600)]  # the clock was set back; the training went on
    beat = heartbeat(attempt=2, at=START, phase="fit", epoch=2, pace=1.0)
    assert look(START + 100, attempts=ahead, beat=beat) is None
    found = look(START + 101, attempts=ahead, beat=beat)
    assert found is not None
    assert found.trouble is Trouble.HUNG


@pytest.mark.parametrize(
    ("ahead", "waits"), [(-1, False), (0, False), (1, True), (90, True), (91, False)]
)
def test_a_backoff_that_is_longer_than_any_is_over(ahead: float, waits: bool) -> None:
    assert has_to_wait(Restart(START + ahead, "so"), START) == waits


def test_outside_of_a_fit_a_training_may_be_silent_for_long() -> None:
    beat = heartbeat(attempt=2, at=START, phase="script", pace=1.0)
    assert look(START + 999, beat=beat) is None
    found = look(START + 1001, beat=beat)
    assert found is not None
    assert found.message == "no progress for 1001 s, allowed are 1000 s"


def test_the_heartbeat_of_an_older_attempt_is_no_sign_of_life() -> None:
    beat = heartbeat(attempt=1, at=START + 1000, phase="fit", pace=1.0)
    found = look(START + 1001, beat=beat)
    assert found is not None
    assert found.trouble is Trouble.HUNG


@pytest.mark.parametrize("attempts", [[], [attempt(2, ended_at=START)]], ids=["none", "ended"])
def test_a_live_run_without_a_running_training_is_well(attempts: list[Attempt]) -> None:
    assert look(START + 1e6, attempts=attempts) is None


def test_a_finding_survives_json() -> None:
    finding = Finding(STEP, Trouble.HUNG, "so", (0, 2))
    again = Finding.from_dict(json.loads(json.dumps(finding.to_dict())))
    assert again == finding
    assert isinstance(again.trouble, Trouble)


@pytest.mark.parametrize(
    ("beats", "hung"), [((0, 990), (3,)), ((0, 0), (3, 4)), ((990, 990), ())], ids=str
)
def test_each_round_of_a_step_hangs_by_itself(
    beats: tuple[float, float], hung: tuple[int, ...]
) -> None:
    step = Step("cnn_digits-0123abcd", 3, 2)
    trainings = [
        Training(number, [attempt(2)], heartbeat(attempt=2, at=START + at))
        for number, at in zip((3, 4), beats, strict=True)
    ]
    found = examine(step, RunState.LIVE, trainings, START, START + 1001, LIMITS)
    assert (found.rounds if found else ()) == hung
    assert found is None or (found.step, found.trouble) == (step, Trouble.HUNG)


def test_a_run_that_ended_is_told_by_the_rounds_that_are_not_done() -> None:
    step = Step("cnn_digits-0123abcd", 3, 2)
    done = attempt(1, ended_at=5.0, cause=Cause.FINISHED)
    killed = attempt(2, ended_at=5.0, cause=Cause.KILLED, message="137")
    trainings = [Training(3, [done]), Training(4, [killed])]
    found = examine(step, RunState.ENDED, trainings, START, START, LIMITS)
    assert found is not None
    assert found.message == "round 4: killed: 137"
