"""What the pages show of attempts that went wrong, read from a real store."""

from __future__ import annotations

from tests.unit import records

from pushtrain.adapters.experiment_reading import ExperimentReader
from pushtrain.adapters.records import write_json, write_text
from pushtrain.adapters.store import Store
from pushtrain.contract import Attempt, Cause, Result, ScriptFailure, State


def started(store: Store, name: str = "digits-01234567") -> str:
    store.create_experiment(records.experiment(id=name))
    store.prepare_output(name, 0)
    return name


def ended(number: int, cause: Cause) -> Attempt:
    return records.attempt(number, cause=cause, ended_at=1001.0)


def test_the_evidence_of_each_attempt_is_read(store: Store, reader: ExperimentReader) -> None:
    name = started(store)
    causes = (Cause.HUNG, Cause.SCRIPT_ERROR, Cause.SCRIPT_ERROR, Cause.LOST)
    for number, cause in enumerate(causes, start=1):
        store.save_attempt(name, 0, ended(number, cause))
    write_text(store.attempt_stack(name, 0, 1), "File a.py, line 3 in fit\n")
    write_json(store.kept_result(name, 0, 2), raised(2, "first").to_dict())
    output = store.output_dir(name, 0)
    write_json(output / "result.json", raised(3, "second").to_dict())
    for number in (2, 4):
        write_json(output / "late" / f"{number}.json", raised(number, "late").to_dict())
    one = reader.details(name).rounds[0]
    assert one.stacks == {1: "File a.py, line 3 in fit\n"}
    assert one.tracebacks == {2: "first", 3: "second"}
    assert one.late == (4,), "an attempt that told of its own error ended in time"


def raised(number: int, traceback: str) -> Result:
    return Result(number, error=ScriptFailure("KeyError", "x", traceback=traceback))


def test_causes_are_counted_where_something_was_started_again(
    store: Store, reader: ExperimentReader
) -> None:
    well, again, failed = (started(store, f"{name}-01234567") for name in ("a", "b", "c"))
    for name in (again, failed):
        store.save_attempt(name, 0, ended(1, Cause.KILLED))
        store.save_attempt(name, 1, ended(1, Cause.HUNG))
        store.save_attempt(name, 1, ended(2, Cause.FINISHED))
    store.update_experiment(again, restarts=2)
    store.update_experiment(failed, state=State.FAILED)
    found = reader.ends_by_cause(reader.experiments()[0])
    assert found == {again: {"killed": 1, "hung": 1}, failed: {"killed": 1, "hung": 1}}
    assert well not in found


def test_where_the_last_attempt_died_without_a_word_the_one_before_is_heard(
    store: Store, reader: ExperimentReader
) -> None:
    name = started(store)
    for number in (1, 2, 3):
        store.save_attempt(name, 0, ended(number, Cause.KILLED))
    silent = reader.details(name).rounds[0]
    assert (silent.last_said, silent.last_lines) == (0, "")
    write_text(store.attempt_log(name, 0, 2), "the end\n")
    one = reader.details(name).rounds[0]
    assert (one.last_said, one.last_lines) == (2, "the end\n")
