"""The records, file names and exit codes that the trainer shares with Airflow's side.

The same names stand in `plugins/pushtrain/contract.py`; a test compares both.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

SCHEMA = 1
OUTPUT_DIR = "/output"
DATASETS_DIR = "/datasets"

ENV_OUTPUT = "PUSHTRAIN_OUTPUT"
ENV_ATTEMPT = "PUSHTRAIN_ATTEMPT"
ENV_CPUS = "PUSHTRAIN_CPUS"
ENV_SEED = "PUSHTRAIN_SEED"
ENV_KERAS = "PUSHTRAIN_KERAS"  # `legacy`: the script gets tf-keras under the name of Keras
ENV_DRY = "PUSHTRAIN_DRY"  # `1`: build the model at the first fit, train nothing
ENV_CHECKPOINT_SECONDS = "PUSHTRAIN_CHECKPOINT_SECONDS"  # between two saves inside an epoch

# Names in the output folder. The first three are written by Airflow's side, the others here.
ATTEMPT_FILE = "attempt.json"
REFERENCES_FILE = "references.json"  # curves of the rounds before: what is hopeless beside them
INHERIT_FILE = "inherit.keras"  # the best round's model, for a warm start
HEARTBEAT_FILE = "heartbeat.json"
HISTORY_FILE = "history.csv"
RESULT_FILE = "result.json"
KERAS_MODEL_FILE = "model.keras"
SKLEARN_MODEL_FILE = "model.joblib"
CHECKPOINT_DIR = "checkpoint"
BUILD_FILE = "build.json"  # what a dry build found
WORK_FILE = "work.json"  # what is saved beyond finished epochs and fits (saved_work)
STACK_FILE = "stack.txt"  # where every thread stood when the trainer got STACK_SIGNAL
LATE_DIR = "late"  # results that an attempt found from the ones before it
STACK_SIGNAL = "SIGUSR1"

# What `ScriptFailure.type` says when memory ran out, whatever the library called it.
OUT_OF_MEMORY_TYPES = frozenset({"MemoryError", "ResourceExhaustedError"})


class Split(StrEnum):
    """The data that an accuracy comes from, best evidence first."""

    TEST = "test"
    VALIDATION = "validation"
    TRAIN = "train"


class ExitCode(IntEnum):
    """Exit codes of the trainer. Every other code means that it was killed from outside."""

    FINISHED = 0
    SCRIPT_ERROR = 10
    NO_METRIC = 11
    USAGE = 12
    SUPERSEDED = 13
    HOPELESS = 14


class Record:
    """Base of the frozen dataclasses that are stored as JSON objects."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields with the schema number, ready for JSON."""
        return {"schema": SCHEMA, **dataclasses.asdict(self)}  # type: ignore[call-overload]  # subclasses are dataclasses


@dataclass(frozen=True)
class Heartbeat(Record):
    """What the trainer said last; `epoch`, `batch` and `fit` count from 1, 0 before the first."""

    attempt: int
    at: float
    pid: int = 0
    phase: str = ""
    fit: int = 0
    epoch: int = 0
    epochs: int = 0
    batch: int = 0
    loss: float | None = None
    accuracy: float | None = None
    pace: float = 0.0
    batches: int = 0
    memory_mib: int = 0


@dataclass(frozen=True)
class ScriptFailure(Record):
    """The exception that ended a script; `line` is 1-based, 0 where unknown."""

    type: str
    message: str
    file: str = ""
    line: int = 0
    traceback: str = ""


@dataclass(frozen=True)
class Result(Record):
    """What a training brought."""

    attempt: int
    accuracy: float | None = None
    split: Split | None = None
    source: str = ""
    parameters: int | None = None
    artifact: str = ""
    artifact_bytes: int = 0
    epochs: int = 0
    seconds: float = 0.0
    exact: bool = True
    notes: tuple[str, ...] = ()
    error: ScriptFailure | None = None
    api: str = ""
    built: int | None = None


@dataclass(frozen=True)
class Build(Record):
    """What a dry build made, `build.json`; without a model all fields say nothing."""

    model: str = ""
    parameters: int | None = None
    output_shape: Any = None
    seconds: float = 0.0
