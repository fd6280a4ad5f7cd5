"""What was measured while the script ran, and which of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pushtrain_trainer.contract import Split

WOULD_HAVE_BEEN_TAKEN = (
    "nothing was measured; taken would be: the result of model.evaluate (compiled with "
    "metrics=['accuracy']), of estimator.score or of sklearn.metrics.accuracy_score, a file "
    "accuracy.txt or result.txt with 97, 97 % or 0.97, or the accuracy that fit logs"
)


class Origin(StrEnum):
    """Who measured."""

    EVALUATED = "evaluated by the script"
    WRITTEN = "written by the script"
    FITTED = "logged by fit"


@dataclass(frozen=True)
class Measurement:
    """One accuracy.

    Attributes:
        value: In 0..1.
        split: None where it can not be seen (a file).
        source: Such as `evaluate`, `score`, `accuracy.txt`, `fit`.
    """

    value: float
    split: Split | None
    source: str
    origin: Origin


# Figures on the data that was trained on say least, so they come after everything else.
RANKS = (
    (Origin.EVALUATED, Split.TEST),
    (Origin.EVALUATED, Split.VALIDATION),
    (Origin.WRITTEN, None),
    (Origin.FITTED, Split.VALIDATION),
    (Origin.EVALUATED, Split.TRAIN),
    (Origin.FITTED, Split.TRAIN),
)


class Measurements:
    """All measurements of a run, in their order."""

    def __init__(self) -> None:
        self._all: list[Measurement] = []

    def add(self, value: object, split: Split | None, source: str, origin: Origin) -> None:
        """Keep `value` if it is a number in 0..1; anything else is no accuracy."""
        try:
            number = float(value)  # type: ignore[arg-type]  # whatever the script got; refused below
        except (TypeError, ValueError):
            return
        if 0.0 <= number <= 1.0:
            self._all.append(Measurement(number, split, source, origin))

    def best(self) -> Measurement | None:
        """Return the last measurement of the best kind, with the split that it comes from."""
        for origin, split in RANKS:
            for found in reversed(self._all):
                if (found.origin, found.split) == (origin, split):
                    return found if found.split else self._with_split(found)
        return None

    def _with_split(self, written: Measurement) -> Measurement:
        """Find the split of a written figure by the measured figure that it repeats."""
        measured = [m for m in self._all if m.split and abs(m.value - written.value) <= 0.005]
        nearest = min(measured, key=lambda m: abs(m.value - written.value), default=None)
        split = nearest.split if nearest else Split.TEST
        return Measurement(written.value, split, written.source, written.origin)

    def is_taken_on_trust(self, best: Measurement) -> bool:
        """Return whether only the script's word says which data a written figure comes from."""
        return best.origin is Origin.WRITTEN and not any(
            m.split and abs(m.value - best.value) <= 0.005 for m in self._all
        )
