"""Knobs, tweaks and what the rounds brought: the records that the tuning reads and writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushtrain.contract import Split
from pushtrain.record import Record

Value = int | float | str | bool


@dataclass(frozen=True)
class Knob(Record):
    """A place in the script that a tweak may change.

    Attributes:
        id: Stable name: scope, layer ordinal, argument; no line number in it.
        kind: What it turns, the same for all scripts: `units`, `filters`, `kernel_size`,
            `dropout`, `depth`, `learning_rate`, `batch_size`, `epochs`, or the name of an
            argument such as `n_neighbors`, `C`, `hp`.
        label: For people: `Dense(16) units`.
        value: What the source says now; what the library takes where nothing is said.
        low: Smallest value allowed, included; None where `choices` says what is allowed.
        high: Largest value allowed, included; None where `choices` does.
        file: Path in the model repo.
        line: 1-based.
        column: 1-based.
        reason: One sentence why it is safe to change.
        choices: All values allowed, in order, where it is no range.
        log: Whether steps are factors (8, 16, 32) and not differences.
        certain: False where only a dry build tells whether other values fit.
    """

    id: str
    kind: str
    label: str
    value: Value
    low: int | float | None
    high: int | float | None
    file: str
    line: int
    column: int
    reason: str = ""
    choices: tuple[Value, ...] = ()
    log: bool = False
    certain: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(self.choices))


@dataclass(frozen=True)
class Change(Record):
    """One knob's step in a tweak; `label` says it to people: `Dense units 16 -> 32`."""

    knob: str
    label: str
    old: Value
    new: Value


@dataclass(frozen=True)
class Tweak(Record):
    """What led to a round.

    Attributes:
        round: The round that this tweak makes.
        changes: At least one; from the values of the round `base`.
        reason: One sentence why: `training 0.99, test 0.86: add Dropout 0.2 after Dense(128)`.
        commit: Commit of the tweak in the mirror, empty before it was made.
        base: The round whose script was changed; None: the one before.
        batch: First of the rounds that train side by side with this one; None: it is alone.
        strategy: Which strategy chose it.
    """

    round: int
    changes: tuple[Change, ...]
    reason: str = ""
    commit: str = ""
    base: int | None = None
    batch: int | None = None
    strategy: str = ""

    def __post_init__(self) -> None:
        made = (c if isinstance(c, Change) else Change.from_dict(c) for c in self.changes)
        object.__setattr__(self, "changes", tuple(made))

    @property
    def summary(self) -> str:
        """All changes on one line."""
        return ", ".join(c.label for c in self.changes)


@dataclass(frozen=True)
class Refusal(Record):
    """A tweak that a dry build could not build: never a round, told to the strategy.

    Attributes:
        round: The round that it was proposed for.
        changes: What it would have changed.
        values: The value of every knob that it would have led to, by id.
        why: What the build said: `ValueError: Dimensions must be equal`.
    """

    round: int
    changes: tuple[Change, ...]
    values: Mapping[str, Value]
    why: str

    def __post_init__(self) -> None:
        made = (c if isinstance(c, Change) else Change.from_dict(c) for c in self.changes)
        object.__setattr__(self, "changes", tuple(made))

    @property
    def label(self) -> str:
        """All that it would have changed, on one line."""
        return ", ".join(c.label for c in self.changes)


@dataclass(frozen=True)
class Curves(Record):
    """Figures by epoch of the fit that a round finished last; empty where nothing was logged.

    A figure that is no finite number (a loss that exploded) is None.

    Attributes:
        planned: Epochs that the fit was to have, 0 where unknown.
        fit: Number of the fit in the script, from 1; 0 where unknown.
    """

    planned: int = 0
    loss: tuple[float | None, ...] = ()
    accuracy: tuple[float | None, ...] = ()
    val_loss: tuple[float | None, ...] = ()
    val_accuracy: tuple[float | None, ...] = ()
    fit: int = 0

    def __post_init__(self) -> None:
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            object.__setattr__(self, name, tuple(getattr(self, name)))


@dataclass(frozen=True)
class RoundOutcome(Record):
    """One line of the table of rounds.

    A round without an accuracy is under way, or `failure` or `hopeless` says why it has none.

    Attributes:
        values: The value of every knob of the round's script, by id.
        base: The round whose script was changed to make it; None for round 0.
        batch: First of the rounds that trained side by side with it; None: it was alone.
        failure: Why the tweak could not be trained (shape error, out of memory): a failed trial,
            no crash. Empty for others.
        hopeless: Whether it was stopped early.
        out_of_memory: Whether it could not be trained for want of memory.
        reason: One sentence why the tweak was made; empty for round 0.
        api: What trained it, with its version; empty where the training did not say.
        curves: Of its last fit.
    """

    round: int
    accuracy: float | None
    split: Split | None
    parameters: int | None
    artifact_bytes: int
    seconds: float
    attempts: int
    tweak: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    base: int | None = None
    batch: int | None = None
    failure: str = ""
    hopeless: bool = False
    curves: Curves = field(default_factory=Curves)
    reason: str = ""
    api: str = ""
    out_of_memory: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.curves, Mapping):
            object.__setattr__(self, "curves", Curves.from_dict(self.curves))

    @property
    def brief(self) -> str:
        """A word or two in the place of an accuracy."""
        if self.out_of_memory:
            return "no memory"
        if self.failure:
            return "failed"
        return "stopped early" if self.hopeless else "-"


def best(rounds: Sequence[RoundOutcome]) -> RoundOutcome | None:
    """Return the round with the best accuracy; a tie keeps the smaller model, then the earlier.

    The size is the number of weights where it is known, else the bytes of the artifact.
    """
    measured = [r for r in rounds if r.accuracy is not None]
    if not measured:
        return None
    return min(measured, key=lambda r: (-(r.accuracy or 0.0), _size(r), r.round))


def _size(outcome: RoundOutcome) -> int:
    return outcome.parameters if outcome.parameters is not None else outcome.artifact_bytes
