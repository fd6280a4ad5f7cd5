from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from tests.unit.records import attempt, experiment, heartbeat

from pushtrain.adapters.attempts import close_attempt, mark
from pushtrain.adapters.container_ends import ContainerEnd
from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import Store
from pushtrain.contract import Cause, Result, ScriptFailure, Split, Step
from pushtrain.errors import StoreError

STEP = Step(experiment().id, 0, 2)
FINISHED = ContainerEnd(0, Cause.FINISHED, "")
FAILED = ContainerEnd(10, Cause.SCRIPT_ERROR, "exit code 10")
KILLED = ContainerEnd(137, Cause.KILLED, "exit code 137")


@pytest.fixture
def store(store: Store) -> Store:
    store.create_experiment(experiment())
    store.prepare_output(STEP.experiment, 0)
    store.save_attempt(STEP.experiment, 0, attempt(1, ended_at=1001.0, cause=Cause.KILLED))
    store.save_attempt(STEP.experiment, 0, attempt(2, epochs=1))
    return store


def leave(store: Store, result: Result) -> None:
    write_json(store.output_dir(STEP.experiment, 0) / "result.json", result.to_dict())


def test_a_finished_training_is_closed_as_such(store: Store) -> None:
    leave(store, Result(2, 0.9, Split.TEST))
    closed = close_attempt(store, STEP, FINISHED, ["a", "b"])
    assert (closed.cause, closed.exit_code) == (Cause.FINISHED, 0)
    assert closed.ended_at is not None
    assert store.attempt(STEP.experiment, 0, 2) == closed
    assert store.attempt_log(STEP.experiment, 0, 2).read_text() == "a\nb\n"


def test_a_killed_training_is_closed_as_such(store: Store) -> None:
    closed = close_attempt(store, STEP, KILLED, [])
    assert (closed.cause, closed.message) == (Cause.KILLED, "exit code 137")


def test_exit_code_0_without_a_result_is_no_success(store: Store) -> None:
    closed = close_attempt(store, STEP, FINISHED, [])
    assert closed.cause is Cause.SCRIPT_ERROR
    assert "without a result" in closed.message


def test_a_damaged_result_is_no_success(store: Store) -> None:
    (store.output_dir(STEP.experiment, 0) / "result.json").write_text('{"attempt": 2, "acc')
    closed = close_attempt(store, STEP, FINISHED, [])
    assert closed.cause is Cause.SCRIPT_ERROR
    assert closed.message == "it ended with exit code 0 but its result is damaged"


def test_the_late_result_of_an_older_attempt_is_put_aside(store: Store) -> None:
    late = Result(1, 0.9, Split.TEST)
    leave(store, late)
    assert close_attempt(store, STEP, FINISHED, []).cause is Cause.SCRIPT_ERROR
    output = store.output_dir(STEP.experiment, 0)
    assert not (output / "result.json").exists()
    assert Result.from_dict(json.loads((output / "late" / "1.json").read_text())) == late


def test_a_late_result_goes_nowhere_but_into_its_folder(store: Store, tmp_path: Path) -> None:
    leave(store, Result(1, 0.9, Split.TEST))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (store.output_dir(STEP.experiment, 0) / "late").symlink_to(elsewhere)
    assert close_attempt(store, STEP, KILLED, []).cause is Cause.KILLED
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("number", [3, -1, "../../../../x"])
def test_a_result_that_no_older_attempt_can_have_left_is_ignored(
    store: Store, number: object
) -> None:
    path = store.output_dir(STEP.experiment, 0) / "result.json"
    path.write_text(json.dumps({"attempt": number, "accuracy": 0.9, "split": "test"}))
    assert close_attempt(store, STEP, FINISHED, []).cause is Cause.SCRIPT_ERROR
    assert path.exists()


def test_what_an_attempt_left_is_kept_with_its_traceback(store: Store) -> None:
    left = Result(2, error=ScriptFailure("ValueError", "no data", "a.py", 3, "Traceback..."))
    leave(store, left)
    close_attempt(store, STEP, FAILED, [])
    kept = store.kept_result(STEP.experiment, 0, 2)
    assert Result.from_dict(json.loads(kept.read_text())) == left


def test_the_first_who_saw_an_end_is_right(store: Store) -> None:
    first = close_attempt(store, STEP, KILLED, ["a"])
    gone = ContainerEnd(None, Cause.LOST, "the container was removed")
    assert close_attempt(store, STEP, gone, []) == first
    assert store.attempt(STEP.experiment, 0, 2) == first


def test_the_error_of_the_script_is_told_with_its_line(store: Store) -> None:
    leave(store, Result(2, error=ScriptFailure("ValueError", "no data", "a.py", 3)))
    closed = close_attempt(store, STEP, FAILED, [])
    assert (closed.cause, closed.message) == (Cause.SCRIPT_ERROR, "a.py:3: ValueError: no data")


@pytest.mark.parametrize(
    ("kind", "cause"),
    [("MemoryError", Cause.OUT_OF_MEMORY), ("ResourceExhaustedError", Cause.OUT_OF_MEMORY),
     ("ValueError", Cause.SCRIPT_ERROR)],
)  # fmt: skip
def test_missing_memory_is_told_by_the_type_of_the_error(
    store: Store, kind: str, cause: Cause
) -> None:
    leave(store, Result(2, error=ScriptFailure(kind, "too big")))
    closed = close_attempt(store, STEP, FAILED, [])
    figures = " (2048 MiB were allowed)" if cause is Cause.OUT_OF_MEMORY else ""
    assert (closed.cause, closed.message) == (cause, f"{kind}: too big{figures}")


def test_what_ran_out_of_memory_is_told_with_the_figures(store: Store) -> None:
    beat = heartbeat(attempt=2, epoch=3, batch=7, memory_mib=2040)
    write_json(store.output_dir(STEP.experiment, 0) / "heartbeat.json", beat.to_dict())
    end = ContainerEnd(137, Cause.OUT_OF_MEMORY, "the memory limit of 2048 MiB was hit")
    closed = close_attempt(store, STEP, end, [])
    assert closed.message == "the memory limit of 2048 MiB was hit, 2040 MiB were held"


@pytest.mark.parametrize("number", [1, 2])
def test_an_attempt_keeps_what_its_own_trainer_said_last(store: Store, number: int) -> None:
    beat = heartbeat(attempt=number, epoch=3, batch=7)
    write_json(store.output_dir(STEP.experiment, 0) / "heartbeat.json", beat.to_dict())
    close_attempt(store, STEP, KILLED, [])
    kept = store.attempt(STEP.experiment, 0, 2)
    assert kept is not None
    assert kept.reached == (beat if number == 2 else None)


@pytest.mark.parametrize(("number", "cause"), [(0, Cause.SCRIPT_ERROR), (1, Cause.HOPELESS)])
def test_only_a_later_round_can_be_stopped_early(store: Store, number: int, cause: Cause) -> None:
    store.prepare_output(STEP.experiment, number)
    store.save_attempt(STEP.experiment, number, attempt(2))
    end = ContainerEnd(14, Cause.HOPELESS, "exit code 14")
    step = Step(STEP.experiment, number, 2)
    assert close_attempt(store, step, end, []).cause is cause


def test_an_error_over_many_lines_is_told_on_one(store: Store) -> None:
    message = "Exception encountered.\n\n\x1b[1mno\x1b[0m fit\n  * x"
    leave(store, Result(2, error=ScriptFailure("ValueError", message)))
    closed = close_attempt(store, STEP, FAILED, [])
    assert closed.message == "ValueError: Exception encountered. no fit * x"


def test_an_endless_message_of_the_script_is_cut(store: Store) -> None:
    leave(store, Result(2, error=ScriptFailure("ValueError", "x" * 10**6)))
    assert len(close_attempt(store, STEP, FAILED, []).message) < 5000


def test_half_a_character_of_user_code_breaks_no_record(store: Store) -> None:
    error = {"type": "ValueError", "message": "\ud800 \udc80 ä"}
    path = store.output_dir(STEP.experiment, 0) / "result.json"
    path.write_text(json.dumps({"attempt": 2, "error": error}))
    closed = close_attempt(store, STEP, FAILED, [])
    assert closed.message == "ValueError: ? ? ä"
    assert store.attempt(STEP.experiment, 0, 2) == closed


def test_the_notes_of_a_training_without_a_metric_are_told(store: Store) -> None:
    leave(store, Result(2, notes=("nothing was evaluated",)))
    end = ContainerEnd(11, Cause.NO_METRIC, "exit code 11")
    closed = close_attempt(store, STEP, end, [])
    assert (closed.cause, closed.message) == (Cause.NO_METRIC, "nothing was evaluated")


def test_a_cause_that_was_marked_before_stays(store: Store) -> None:
    mark(store, STEP, Cause.HUNG, "no progress")
    closed = close_attempt(store, STEP, KILLED, [])
    assert (closed.cause, closed.message, closed.exit_code) == (Cause.HUNG, "no progress", 137)


def test_a_training_that_was_only_slow_is_finished(store: Store) -> None:
    mark(store, STEP, Cause.HUNG, "no progress")
    leave(store, Result(2, 0.9, Split.TEST))
    assert close_attempt(store, STEP, FINISHED, []).cause is Cause.FINISHED


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (KILLED, Cause.HOST_LOST),
        (ContainerEnd(None, Cause.LOST, "the container was removed"), Cause.HOST_LOST),
        (ContainerEnd(137, Cause.OUT_OF_MEMORY, "so"), Cause.OUT_OF_MEMORY),
        (FAILED, Cause.SCRIPT_ERROR),
    ],
)
def test_an_engine_that_was_away_is_to_blame_for_what_it_may_have_ended(
    store: Store, end: ContainerEnd, cause: Cause
) -> None:
    mark(store, STEP, Cause.HOST_LOST, "no answer")
    assert close_attempt(store, STEP, end, []).cause is cause


def test_an_engine_that_is_away_hides_no_other_cause(store: Store) -> None:
    mark(store, STEP, Cause.HUNG, "no progress")
    mark(store, STEP, Cause.HOST_LOST, "no answer")
    assert close_attempt(store, STEP, KILLED, []).cause is Cause.HUNG


@pytest.mark.parametrize(
    ("first", "then", "left"),
    [
        (Cause.STOPPED, Cause.HUNG, Cause.STOPPED),
        (Cause.STOPPED, None, Cause.STOPPED),
        (Cause.STOPPED, Cause.HOST_LOST, Cause.STOPPED),
        (Cause.HUNG, None, None),
        (Cause.HUNG, Cause.STOPPED, Cause.STOPPED),
        (Cause.HOST_LOST, None, Cause.HOST_LOST),
        (Cause.HOST_LOST, Cause.HUNG, Cause.HUNG),
    ],
)
def test_what_a_person_stopped_stays_so(
    store: Store, first: Cause, then: Cause | None, left: Cause | None
) -> None:
    mark(store, STEP, first, "first")
    mark(store, STEP, then, "then")
    found = store.attempt(STEP.experiment, 0, 2)
    assert found is not None
    assert (found.cause, found.message) == (left, "first" if left is first else "then")


def test_a_stop_that_comes_while_another_cause_is_set_stays(store: Store) -> None:
    late = threading.Thread(target=mark, args=(store, STEP, Cause.HUNG, "no progress"))
    with store.locked(STEP.experiment):
        late.start()
        late.join(0.3)  # long enough to read the record, were it read outside of the lock
        stopped = attempt(2, epochs=1, cause=Cause.STOPPED)
        store.save_attempt(STEP.experiment, 0, stopped)
    late.join(20)
    assert store.attempt(STEP.experiment, 0, 2) == stopped


@pytest.mark.parametrize(
    ("held", "tells", "cause"),
    [
        (2000, False, Cause.OUT_OF_MEMORY),
        (1000, False, Cause.KILLED),
        (0, False, Cause.KILLED),
        (2000, True, Cause.KILLED),  # this engine would have said so
    ],
)
def test_where_the_engine_can_not_tell_what_was_held_does(
    store: Store, held: int, tells: bool, cause: Cause
) -> None:
    beat = heartbeat(attempt=2, memory_mib=held)
    write_json(store.output_dir(STEP.experiment, 0) / "heartbeat.json", beat.to_dict())
    end = ContainerEnd(137, Cause.KILLED, "by SIGKILL, exit code 137", tells_memory=tells)
    closed = close_attempt(store, STEP, end, [])
    assert closed.cause is cause
    figures = " (2048 MiB were allowed, 2000 MiB were held)"
    assert closed.message == end.message + (figures if cause is Cause.OUT_OF_MEMORY else "")


@pytest.mark.parametrize(
    ("line", "cause"),
    [("what():  std::bad_alloc", Cause.OUT_OF_MEMORY), ("assertion failed", Cause.KILLED)],
)
def test_an_abort_for_want_of_memory_is_told_by_its_last_words(
    store: Store, line: str, cause: Cause
) -> None:
    end = ContainerEnd(134, Cause.KILLED, "by SIGABRT, exit code 134")
    assert close_attempt(store, STEP, end, ["epoch 1", line]).cause is cause


def test_a_helper_that_ran_out_of_memory_is_told_with_what_the_script_raised(store: Store) -> None:
    leave(store, Result(2, error=ScriptFailure("BrokenProcessPool", "it is gone", "a.py", 3)))
    end = ContainerEnd(10, Cause.OUT_OF_MEMORY, "the memory limit of 2048 MiB was hit")
    closed = close_attempt(store, STEP, end, [])
    assert closed.cause is Cause.OUT_OF_MEMORY
    assert closed.message == f"{end.message}; a.py:3: BrokenProcessPool: it is gone"


def test_an_attempt_that_has_ended_is_not_marked(store: Store) -> None:
    close_attempt(store, STEP, KILLED, [])
    mark(store, STEP, Cause.STOPPED, "too late")
    after = store.attempt(STEP.experiment, 0, 2)
    assert after is not None
    assert after.cause is Cause.KILLED


def test_epochs_are_counted_and_never_become_fewer(store: Store) -> None:
    assert close_attempt(store, STEP, KILLED, []).epochs == 1
    store.save_attempt(STEP.experiment, 0, attempt(2, epochs=1))
    (store.output_dir(STEP.experiment, 0) / "history.csv").write_text("epoch\n1\n2\n3\n")
    assert close_attempt(store, STEP, KILLED, []).epochs == 3


def test_a_step_that_was_never_started_can_not_be_closed(store: Store) -> None:
    with pytest.raises(StoreError, match=r"r0\.a3"):
        close_attempt(store, Step(STEP.experiment, 0, 3), KILLED, [])


@pytest.mark.parametrize("name", ["result.json", "history.csv"])
def test_whatever_user_code_left_the_attempt_is_closed(store: Store, name: str) -> None:
    (store.output_dir(STEP.experiment, 0) / name).symlink_to("/etc/passwd")
    assert close_attempt(store, STEP, KILLED, []).cause is Cause.KILLED
