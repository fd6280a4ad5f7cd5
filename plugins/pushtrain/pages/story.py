"""One experiment as a person reads it: what was tried, why, and what it brought."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from pushtrain.contract import TRAIN_DAG, Experiment, State
from pushtrain.details import ExperimentDetails, RoundDetails
from pushtrain.history import Value
from pushtrain.pages.incidents import all_attempts, ends_by_cause, incidents_of

_NOT_EXACT = "not exact: "  # how the trainer begins such a note


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
    if outcome.out_of_memory:
        return f"ran {outcome.failure}"
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
    """Return one sentence for each attempt of a round that did not end as it was meant to."""
    return tuple(one.story for one in incidents_of(details))


def causes(details: ExperimentDetails) -> dict[str, int]:
    """Return how often the attempts ended for each cause, the happy end left out."""
    return ends_by_cause(all_attempts(details))


def why_not_exact(details: RoundDetails) -> tuple[str, ...]:
    """Return why a round that was started again is not what it would have been otherwise."""
    result = details.result
    if result is None or result.exact:
        return ()
    told = [note.removeprefix(_NOT_EXACT) for note in result.notes if note.startswith(_NOT_EXACT)]
    return tuple(told) or ("the training does not say why",)


def notes(details: RoundDetails) -> tuple[str, ...]:
    """Return the notes of a round's training, without those on exactness."""
    told = details.result.notes if details.result else ()
    return tuple(note for note in told if not note.startswith(_NOT_EXACT))


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


def more_conf(details: ExperimentDetails) -> dict[str, Value]:
    """Return the conf that takes an ended experiment up again, with what helped it to its end.

    One that was given up is resumed where it was, with more memory if that ran out.
    """
    experiment, last = details.experiment, details.round(details.experiment.round)
    conf = more_rounds_conf(experiment)
    if experiment.state is State.FAILED and last and last.outcome.out_of_memory:
        conf["memory"] = experiment.settings.memory * 2
    return conf


def more_command(details: ExperimentDetails) -> str:
    """Return the command that takes an ended experiment up again; see `more_conf`."""
    return _command(more_conf(details))


def more_rounds_conf(experiment: Experiment) -> dict[str, Value]:
    """Return the conf that takes an ended experiment up again with more of what it used up."""
    if experiment.state is State.FAILED:
        return {"resume": experiment.id}
    conf: dict[str, Value] = {"ref": experiment.commit, "script": experiment.script}
    settings = experiment.settings
    if experiment.state is State.ROUNDS_USED_UP:
        conf["max_rounds"] = settings.max_rounds * 2
    elif experiment.state is State.PATIENCE_USED_UP:
        conf["patience"] = settings.patience * 2
    elif experiment.state is State.HOURS_USED_UP and settings.max_hours:
        conf["max_hours"] = settings.max_hours * 2
    elif experiment.state is State.REACHED:
        reached = experiment.best_accuracy or settings.target_accuracy
        conf["target_accuracy"] = round(min(1.0, reached + (1 - reached) / 2), 4)
    return conf


def more_rounds_command(experiment: Experiment) -> str:
    """Return the command for `more_rounds_conf`."""
    return _command(more_rounds_conf(experiment))


def _command(conf: Mapping[str, Value]) -> str:
    return f"airflow dags trigger {TRAIN_DAG} --conf {shlex.quote(json.dumps(conf))}"
