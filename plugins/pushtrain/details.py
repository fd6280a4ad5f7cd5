"""What the pages, mails and reports show of an experiment, read from the store beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pushtrain.contract import Attempt, Experiment, Heartbeat, Result
from pushtrain.history import Knob, Refusal, RoundOutcome, Tweak


@dataclass(frozen=True)
class Epoch:
    """One row of a round's curves; numbers count from 1, None is what was not logged."""

    fit: int
    epoch: int
    attempt: int
    seconds: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None


@dataclass(frozen=True)
class RoundDetails:
    """One round with all that is known of it.

    Attributes:
        diff: Unified diff of the tweak that made it; empty for round 0.
        last_lines: What its attempt `last_said` printed last: the last one that printed anything.
        stacks: Where the threads of an attempt stood when it hung, by its number.
        tracebacks: Of the script's own errors, by attempt.
        late: Attempts whose result came after their end, and was set aside.
        damage: One sentence per record that could not be read.
    """

    outcome: RoundOutcome
    tweak: Tweak | None = None
    attempts: tuple[Attempt, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    knobs: tuple[Knob, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    diff: str = ""
    result: Result | None = None
    heartbeat: Heartbeat | None = None
    last_lines: str = ""
    last_said: int = 0
    stacks: Mapping[int, str] = field(default_factory=dict)
    tracebacks: Mapping[int, str] = field(default_factory=dict)
    late: tuple[int, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """Number of the round, from 0."""
        return self.outcome.round

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, len(self.attempts) - 1)


@dataclass(frozen=True)
class ExperimentDetails:
    """An experiment with its rounds, in order.

    Attributes:
        never_made: Tweaks that could not be built, for a round that never came to be.
    """

    experiment: Experiment
    rounds: tuple[RoundDetails, ...] = ()
    never_made: tuple[Refusal, ...] = ()

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """All tweaks that could not be built, in order."""
        return (*(refused for one in self.rounds for refused in one.refusals), *self.never_made)

    def round(self, number: int) -> RoundDetails | None:
        """Return the round of a number, None if it was not started."""
        return next((r for r in self.rounds if r.number == number), None)

    @property
    def best(self) -> RoundDetails | None:
        """The best round so far."""
        best = self.experiment.best_round
        return None if best is None else self.round(best)


@dataclass(frozen=True)
class Damaged:
    """An experiment whose record can not be read; `message` names the file."""

    id: str
    message: str
