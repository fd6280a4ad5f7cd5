"""Experiments and rounds as the pages get them."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.unit import records

from pushtrain.contract import Attempt, Cause, Experiment, ScriptSettings
from pushtrain.details import Epoch, ExperimentDetails, RoundDetails
from pushtrain.history import Change, Knob, Tweak

_OF_THE_OUTCOME = frozenset({"failure", "hopeless", "values", "base", "batch", "out_of_memory"})


def experiment(**fields: Any) -> Experiment:
    plain: dict[str, Any] = {"settings": ScriptSettings(target_accuracy=0.9)}
    return records.experiment(**plain | fields)


def attempt(number: int = 1, **fields: Any) -> Attempt:
    plain = {"started_at": 1010.0, "ended_at": 1040.0, "cause": Cause.FINISHED, "exit_code": 0}
    return records.attempt(number, **plain | fields)


def epochs(*accuracies: float, attempts: tuple[int, ...] = ()) -> tuple[Epoch, ...]:
    return tuple(
        Epoch(1, n + 1, attempts[n] if attempts else 1, 2.0, 1 - value, value)
        for n, value in enumerate(accuracies)
    )


def details_of(number: int = 0, accuracy: float | None = 0.5, **fields: Any) -> RoundDetails:
    tweak = None
    if number:
        change = Change("m.dense0.units", f"Dense units {8 * number} -> {16 * number}", 8, 16)
        tweak = Tweak(number, (change,), "a reason", "c0ffee")
    outcome = records.outcome(
        number, accuracy,
        tweak=tweak.summary if tweak else "",
        values={"m.dense0.units": 8 * (number + 1)},
    )  # fmt: skip
    outcome = dataclasses.replace(
        outcome, **{k: v for k, v in fields.items() if k in _OF_THE_OUTCOME}
    )
    knob = Knob("m.dense0.units", "units", "Dense units", 8, 1, 512, "digits.py", 3, 5)
    made = RoundDetails(outcome, tweak, (attempt(),), epochs(0.2, 0.4), (knob,))
    return dataclasses.replace(
        made, **{k: v for k, v in fields.items() if k not in _OF_THE_OUTCOME}
    )


def story_of(*rounds: RoundDetails, **fields: Any) -> ExperimentDetails:
    return ExperimentDetails(experiment(**fields), rounds)
