"""One experiment as a person reads it: what was tried, why, and what it brought."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from pushtrain.contract import TRAIN_DAG, Cause, Experiment, State
from pushtrain.details import ExperimentDetails, RoundDetails
from pushtrain.history import Value

_UNHAPPY = frozenset({Cause.SCRIPT_ERROR, Cause.OUT_OF_MEMORY, Cause.HUNG, Cause.LOST,
                      Cause.KILLED, Cause.HOST_LOST, Cause.NO_METRIC})  # fmt: skip


@dataclass(frozen=True)
class KnobRow:
    """One knob's value in every round; None where the round did not have it.

    Attributes:
        changed: Per round, whether the value differs from that of the round it was made from.
    """

    label: str
    values: tuple[Value | None, ...]
    changed: tuple[bool, ...]


def headline(details: ExperimentDetails) -> str:
    """Return one sentence on where the experiment stands."""
    experiment = details.experiment
    target = f"{experiment.settings.target_accuracy:.4g}"
    best = experiment.best_accuracy
    if experiment.state is State.RUNNING:
        so_far = f"best so far {best:.4f} of {target}" if best is not None else f"target {target}"
        return f"Round {experiment.round} is under way; {so_far}."
    if experiment.reason:
        return f"{str(experiment.state).capitalize()}: {experiment.reason}."
    reached = "no accuracy" if best is None else f"best accuracy {best:.4f}"
    return f"{str(experiment.state).capitalize()}: {reached}, target {target}."


def verdict_of(details: RoundDetails) -> str:
    """Return in a few words what became of a round."""
    outcome = details.outcome
    if outcome.failure:
        return f"the tweak could not be trained: {outcome.failure}"
    if outcome.hopeless:
        return "stopped early: clearly below the rounds before"
    if outcome.accuracy is not None:
        return f"{outcome.accuracy:.4f} on the {outcome.split} data"
    beat = details.heartbeat
    if beat and beat.epochs:
        return f"training, epoch {beat.epoch} of {beat.epochs}"
    return "training" if details.attempts else "waiting for its container"


def incidents(details: RoundDetails) -> tuple[str, ...]:
    """Return one sentence for each attempt of a round that ended badly."""
    return tuple(
        f"attempt {a.number}: {a.cause}" + (f", {a.message}" if a.message else "")
        for a in details.attempts
        if a.cause in _UNHAPPY
    )


def causes(details: ExperimentDetails) -> dict[str, int]:
    """Return how often the attempts ended for each cause, the happy end left out."""
    counts: dict[str, int] = {}
    for one in details.rounds:
        for attempt in one.attempts:
            if attempt.cause in _UNHAPPY:
                counts[str(attempt.cause)] = counts.get(str(attempt.cause), 0) + 1
    return counts


def knob_table(details: ExperimentDetails) -> tuple[KnobRow, ...]:
    """Return the knobs by round, those that were ever changed first."""
    labels: dict[str, str] = {}
    for one in details.rounds:
        for knob in one.knobs:
            labels.setdefault(knob.id, knob.label)
    rows = [_knob_row(details, name, label) for name, label in labels.items()]
    return tuple(sorted(rows, key=lambda row: not any(row.changed)))


def _knob_row(details: ExperimentDetails, name: str, label: str) -> KnobRow:
    values = {r.number: r.outcome.values.get(name) for r in details.rounds}
    changed = []
    for one in details.rounds:
        base = one.outcome.base if one.outcome.base is not None else one.number - 1
        changed.append(one.number > 0 and values.get(base) != values[one.number])
    return KnobRow(label, tuple(values.values()), tuple(changed))


def more_rounds_conf(experiment: Experiment) -> dict[str, Value]:
    """Return the conf that takes an ended experiment up again; see `more_rounds_command`."""
    if experiment.state is State.FAILED:
        return {"resume": experiment.id}
    conf: dict[str, Value] = {"ref": experiment.commit, "script": experiment.script}
    if experiment.state is State.ROUNDS_USED_UP:
        conf["max_rounds"] = experiment.settings.max_rounds * 2
    elif experiment.state is State.PATIENCE_USED_UP:
        conf["patience"] = experiment.settings.patience * 2
    elif experiment.state is State.HOURS_USED_UP and experiment.settings.max_hours:
        conf["max_hours"] = experiment.settings.max_hours * 2
    elif experiment.state is State.REACHED:
        reached = experiment.best_accuracy or experiment.settings.target_accuracy
        conf["target_accuracy"] = round(min(1.0, reached + (1 - reached) / 2), 4)
    return conf


def more_rounds_command(experiment: Experiment) -> str:
    """Return the command that takes an ended experiment up again.

    One that was given up goes on where it was, the others with more of what they used up.
    """
    conf = json.dumps(more_rounds_conf(experiment))
    return f"airflow dags trigger {TRAIN_DAG} --conf {shlex.quote(conf)}"
