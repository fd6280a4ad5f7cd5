"""The words, records and exit codes that the layers and the training images share.

The trainer inside the images does not import this module; it keeps the same names in
`training_images/trainer/pushtrain_trainer/contract.py`, and a test holds both together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from pushtrain.record import Record

# Where a round's folders lie inside a training container.
WORK_DIR = "/work"  # rounds/<n>/source: the tree that is trained, and the working directory
OUTPUT_DIR = "/output"  # rounds/<n>/output: all that the trainer writes
DATA_DIR = "/data"  # parent of the read-only data mounts
DATASETS_DIR = "/datasets"  # what keras.datasets looks for, mounted read-only

LABEL_STORE = "pushtrain.store"
LABEL_EXPERIMENT = "pushtrain.experiment"
LABEL_ROUND = "pushtrain.round"
LABEL_ATTEMPT = "pushtrain.attempt"
LABEL_DRY = "pushtrain.dry"  # set where a tweak is only built, not trained

# Names in the output folder that both sides use.
WORK_FILE = "work.json"  # what is saved beyond finished epochs and fits
STACK_FILE = "stack.txt"  # where every thread stood when the trainer got STACK_SIGNAL
LATE_DIR = "late"  # results that an attempt found from the ones before it
STACK_SIGNAL = "SIGUSR1"
ENV_CHECKPOINT_SECONDS = "PUSHTRAIN_CHECKPOINT_SECONDS"  # between two saves inside an epoch

# Airflow's pool of the training tasks: its slots are how many containers train at once.
POOL = "pushtrain"

# What `ScriptFailure.type` says when memory ran out, whatever the library called it.
OUT_OF_MEMORY_TYPES = frozenset({"MemoryError", "ResourceExhaustedError"})

TRAIN_DAG = "mlops_train"
MONITOR_DAG = "mlops_monitor"


class Family(StrEnum):
    """What the code of a script is; `analysis.family` has what tells each."""

    ANN = "ann"  # Keras, dense layers only
    CNN = "cnn"  # Keras with convolutions
    RNN = "rnn"  # Keras with recurrent layers
    KERAS = "keras"  # every other Keras model: attention, pretrained networks
    SKLEARN = "sklearn"
    UNSUPPORTED = "unsupported"  # another framework, or no model at all


class ImageKind(StrEnum):
    """The training images, one folder each in `training_images/`."""

    ANN = "ann"
    CNN = "cnn"  # as ann, and what reads and prepares pictures
    SKLEARN = "sklearn"


TRAINABLE = (Family.ANN, Family.CNN, Family.RNN, Family.KERAS, Family.SKLEARN)


class KerasApi(StrEnum):
    """The Keras that a script is written for; its code tells (`analysis.keras_api`)."""

    CURRENT = "keras 3"
    LEGACY = "keras 2"  # run on tf-keras, which takes the names `keras` and `tf.keras`
    NONE = ""  # scikit-learn


class Strategy(StrEnum):
    """How the next values are chosen."""

    AUTO = "auto"
    GROW = "grow"
    BAYESIAN = "bayesian"
    RANDOM = "random"


class Split(StrEnum):
    """The data that an accuracy comes from, best evidence first."""

    TEST = "test"
    VALIDATION = "validation"
    TRAIN = "train"


class State(StrEnum):
    """Where an experiment stands; only `REACHED` is a success."""

    RUNNING = "running"
    REACHED = "target reached"
    ROUNDS_USED_UP = "rounds used up"
    HOURS_USED_UP = "hours used up"
    PATIENCE_USED_UP = "patience used up"
    NO_KNOB_LEFT = "no knob left"
    FAILED = "failed"


class Cause(StrEnum):
    """How an attempt ended."""

    FINISHED = "finished"
    HOPELESS = "stopped early"  # clearly below the rounds before it at the same epoch
    SCRIPT_ERROR = "script error"
    NO_METRIC = "no metric"
    OUT_OF_MEMORY = "out of memory"
    KILLED = "killed"
    STOPPED = "stopped by a person"
    HUNG = "hung"
    LOST = "lost"
    HOST_LOST = "host or engine lost"
    SUPERSEDED = "superseded"
    LEFT_OUT = "left out"  # given up, while the rounds beside it go on


class ExitCode(IntEnum):
    """Exit codes of the trainer. Every other code means that it was killed from outside."""

    FINISHED = 0
    SCRIPT_ERROR = 10  # the script raised or left with a code of its own: a restart repeats it
    NO_METRIC = 11  # trained, but measured nothing: a restart repeats it
    USAGE = 12  # no such script, folder not writable: a mistake of ours or of the caller
    SUPERSEDED = 13  # a newer attempt took the round: do nothing
    HOPELESS = 14  # stopped early: far below the rounds before it at the same epoch


def run_id(experiment: str, round_number: int, attempt: int) -> str:
    """Return the DAG run id of an attempt: the same attempt can not be triggered twice."""
    return f"{experiment}.r{round_number}.a{attempt}"


@dataclass(frozen=True)
class Step(Record):
    """One attempt of one round of one experiment: what a DAG run is about."""

    experiment: str
    round: int
    attempt: int

    @property
    def run_id(self) -> str:
        """The DAG run id of this step."""
        return run_id(self.experiment, self.round, self.attempt)


@dataclass(frozen=True)
class ScriptSettings(Record):
    """What a model repo may set for a script (`[tool.pushtrain]` of its pyproject.toml).

    Attributes:
        target_accuracy: In 0..1, both included.
        max_rounds: Rounds at most, the pushed one included, at least 1.
        patience: The loop ends after this many rounds in a row without a better accuracy, >= 1.
        max_hours: Hours from the start of the experiment, above 0; None: no limit.
        memory: MiB; the hard limit of the container.
        cpus: Processors, fractions allowed; a hard limit.
        gpus: Number of GPUs (device requests), 0: none.
        network: Whether the training may reach the network.
        data: Host folders, mounted read-only below `/data`, if the operator allows them.
        notify: E-mail addresses that hear of the experiment beside the author.
        strategy: How the next values are chosen.
        candidates: Rounds that are proposed at once and trained side by side, at least 1.
        warm_start: Whether a round starts from the weights of the best one before it.
        stop_hopeless: Whether a round that lies clearly below the others is stopped early.
        dry_build: Whether a tweak that may not fit is built in a container before its round.
    """

    target_accuracy: float = 0.80
    max_rounds: int = 8
    patience: int = 3
    max_hours: float | None = None
    memory: int = 2048
    cpus: float = 1.0
    gpus: int = 0
    network: bool = False
    data: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    strategy: Strategy = Strategy.AUTO
    candidates: int = 1
    warm_start: bool = False
    stop_hopeless: bool = True
    dry_build: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", tuple(self.data))
        object.__setattr__(self, "notify", tuple(self.notify))
        object.__setattr__(self, "strategy", Strategy(self.strategy))


@dataclass(frozen=True)
class Experiment(Record):
    """One script at one pushed commit.

    Attributes:
        id: `<script slug>-<first 8 of the commit>`.
        repo: Slug of the model repo, names the mirror.
        script: Path in the model repo.
        round: The round that is under way, or the last one, from 0; with several candidates the
            first of those that train side by side.
        attempt: The attempt of it, from 1; with the round it names the one run that may live.
        best_round: The round with the best accuracy so far, None before the first result.
        reason: One sentence why the state is what it is; empty while running.
        refused: Whether the script, or what is set for it, can not be trained at all.
        api: The Keras that the script is run on; `NONE` before its code was read.
        notes: Sentences for people on what was done to the tree before it was trained.
        created_at: Unix time in seconds, as all times here.
        restarts: How many attempts were started beyond the first of each round.
        published: Folder of the published model, empty if there is none.
        settled: Whether all is done: it has ended, its best model is published, its people told.
    """

    id: str
    repo: str
    repo_url: str
    branch: str
    commit: str
    script: str
    author_name: str
    author_email: str
    subject: str
    settings: ScriptSettings
    created_at: float
    updated_at: float
    state: State = State.RUNNING
    reason: str = ""
    refused: bool = False
    family: Family | None = None
    api: KerasApi = KerasApi.NONE
    notes: tuple[str, ...] = ()
    round: int = 0
    attempt: int = 1
    best_round: int | None = None
    best_accuracy: float | None = None
    restarts: int = 0
    published: str = ""
    settled: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.settings, Mapping):
            object.__setattr__(self, "settings", ScriptSettings.from_dict(self.settings))
        object.__setattr__(self, "state", State(self.state))
        object.__setattr__(self, "api", KerasApi(self.api))
        object.__setattr__(self, "notes", tuple(self.notes))
        if self.family is not None:
            object.__setattr__(self, "family", Family(self.family))

    @property
    def slug(self) -> str:
        """The id without the commit: names the published models and the pushed branch."""
        return self.id.rsplit("-", 1)[0]

    @property
    def step(self) -> Step:
        """The step that is under way, or the last one; its round is the first of its batch."""
        return Step(self.id, self.round, self.attempt)


@dataclass(frozen=True)
class Heartbeat(Record):
    """What the trainer said last; written by user-controlled code, so never trusted further.

    Attributes:
        attempt: The attempt that wrote it.
        at: Unix time of the last *progress*, not of the last write.
        phase: Such as `script`, `fit`, `evaluate`.
        fit: Number of the fit in the script, from 1; 0 before the first.
        epoch: Epoch under way, 1-based; 0 before the first.
        epochs: Epochs of this fit; 0 where unknown.
        batch: Batch in the epoch, 1-based.
        batches: Batches of an epoch; 0 where unknown.
        memory_mib: The most memory (MiB) that the trainer's process held so far; 0 where unknown.
        pace: Seconds of the slowest unit of progress in this phase; 0 where not yet known.
    """

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
class Attempt(Record):
    """One container of a round; attempt 1, and one more for each restart.

    Attributes:
        engine: Address of the engine that runs the container.
        ended_at: None while it runs.
        cause: None while it runs.
        epochs: Epochs (or other units) that the round had finished when the attempt ended.
        work: As `epochs`, with the part of an epoch that a checkpoint holds: what the next
            attempt does not do again. More of it than before is progress.
        reached: What its trainer said last; None where it said nothing.
        forgiven: Whether a person had the training resumed after it: it decides nothing more.
    """

    number: int
    run_id: str
    container: str
    image: str
    engine: str
    started_at: float
    container_id: str = ""
    ended_at: float | None = None
    cause: Cause | None = None
    exit_code: int | None = None
    message: str = ""
    epochs: int = 0
    work: float = 0.0
    reached: Heartbeat | None = None
    forgiven: bool = False

    def __post_init__(self) -> None:
        if self.cause is not None:
            object.__setattr__(self, "cause", Cause(self.cause))
        if isinstance(self.reached, Mapping):
            object.__setattr__(self, "reached", Heartbeat.from_dict(self.reached))


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
    """What a training brought; `result.json` in the output folder.

    Attributes:
        accuracy: In 0..1; None if nothing was measured or the script failed.
        split: The data that the accuracy comes from; None without an accuracy.
        source: What measured it: `evaluate`, `score`, `accuracy_score`, `accuracy.txt`, `fit`...
        parameters: Number of weights of a Keras model; None for others.
        artifact: File name in the output folder, empty if there is none.
        epochs: Epochs that the round finished in all its attempts.
        exact: Whether a resumed run equals an uninterrupted one.
        api: What trained it, with its version: `keras 3.15.1`, `tf-keras 2.21.0`.
        built: Number of weights of the Keras model that was fitted first; None for others.
        notes: Sentences for people: shims used, files found, why not exact.
    """

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(self.notes))
        # user code can write this record, and NaN would win every comparison
        if self.accuracy is not None and not 0 <= self.accuracy <= 1:
            raise ValueError(f"accuracy = {self.accuracy} is not in 0..1")
        if self.split is not None:
            object.__setattr__(self, "split", Split(self.split))
        if isinstance(self.error, Mapping):
            object.__setattr__(self, "error", ScriptFailure.from_dict(self.error))


@dataclass(frozen=True)
class Build(Record):
    """What a dry build made; `build.json` in the output folder.

    Attributes:
        model: Class of the model or estimator; empty if the script fitted none.
        parameters: Number of weights of a Keras model; None for others.
        output_shape: Of the Keras model, nested as its outputs are, None for the batch.
    """

    model: str = ""
    parameters: int | None = None
    output_shape: Any = None
    seconds: float = 0.0
