from __future__ import annotations

import dataclasses

import pytest

from pushtrain import contract as airflow_side
from pushtrain import record
from pushtrain_trainer import contract as trainer_side


def shape(record: type) -> list[tuple[str, str, object]]:
    return [(f.name, str(f.type), f.default) for f in dataclasses.fields(record)]


@pytest.mark.parametrize("name", ["Heartbeat", "ScriptFailure", "Result", "Build"])
def test_records_have_the_same_fields(name: str) -> None:
    assert shape(getattr(trainer_side, name)) == shape(getattr(airflow_side, name))


@pytest.mark.parametrize("name", ["ExitCode", "Split"])
def test_closed_sets_are_the_same(name: str) -> None:
    ours, theirs = getattr(trainer_side, name), getattr(airflow_side, name)
    assert {m.name: m.value for m in ours} == {m.name: m.value for m in theirs}


@pytest.mark.parametrize(
    "name",
    [
        "OUTPUT_DIR",
        "DATASETS_DIR",
        "OUT_OF_MEMORY_TYPES",
        "WORK_FILE",
        "STACK_FILE",
        "LATE_DIR",
        "STACK_SIGNAL",
        "ENV_CHECKPOINT_SECONDS",
    ],
)
def test_constants_are_the_same(name: str) -> None:
    assert getattr(trainer_side, name) == getattr(airflow_side, name)


def test_schema_number_is_the_same() -> None:
    assert trainer_side.SCHEMA == record.SCHEMA


def test_airflow_side_reads_a_result_of_the_trainer() -> None:
    failure = trainer_side.ScriptFailure("ValueError", "bad", "a.py", 3, "trace")
    split = trainer_side.Split.TEST
    written = trainer_side.Result(2, 0.9, split, notes=("n",), error=failure).to_dict()
    read = airflow_side.Result.from_dict(written)
    assert (read.accuracy, read.split, read.notes) == (0.9, airflow_side.Split.TEST, ("n",))
    assert read.error == airflow_side.ScriptFailure("ValueError", "bad", "a.py", 3, "trace")
