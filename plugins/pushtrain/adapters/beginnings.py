"""Lays what a round may begin with into its output folder: curves to compare with, weights."""

from __future__ import annotations

import contextlib
import logging
from pathlib import PurePosixPath

from pushtrain.adapters.plain_files import copy_plain
from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import Store
from pushtrain.contract import Experiment, Step
from pushtrain.errors import StoreError
from pushtrain.history import RoundOutcome, best

log = logging.getLogger(__name__)

REFERENCES = "references.json"
INHERIT = "inherit.keras"


def lay_beginnings(store: Store, experiment: Experiment, step: Step) -> None:
    """Write the curves of the rounds before, and copy the model to start from, as it is set.

    What is not wanted, or not any more, is removed. Round 0 is trained as it was pushed.
    """
    wishes = experiment.settings
    tweak = store.tweak(step.experiment, step.round)
    first = tweak.batch if tweak and tweak.batch is not None else step.round
    # those beside it are no measure: an attempt later they would be other ones
    before = [r for r in store.rounds(step.experiment) if r.round < first]
    output = store.output_dir(step.experiment, step.round)
    curves = [_reference(r) for r in before if r.accuracy is not None]
    if wishes.stop_hopeless and curves:
        write_json(output / REFERENCES, {"schema": 1, "curves": curves})
    else:
        _remove(store, step, REFERENCES)
    _remove(store, step, INHERIT)
    measured = [r for r in before if r.accuracy is not None]  # what lacked memory left no model
    base = next((r for r in measured if tweak and r.round == tweak.base), best(before))
    if wishes.warm_start and base is not None:
        _inherit(store, step, base)


def _reference(outcome: RoundOutcome) -> dict[str, object]:
    curves = outcome.curves.to_dict()
    curves.pop("schema")
    return {"round": outcome.round, **curves}


def _inherit(store: Store, step: Step, base: RoundOutcome) -> None:
    """Copy a round's model; a round that left none is no reason to train nothing."""
    try:
        result = store.result(step.experiment, base.round)
        artifact = PurePosixPath(result.artifact).name if result else ""
        if not artifact.endswith(".keras"):
            return
        copy_plain(
            store.output_dir(step.experiment, base.round) / artifact,
            store.output_dir(step.experiment, step.round) / INHERIT,
        )
    except StoreError as err:
        log.warning("round %d starts without the weights of round %d: %s",
                    step.round, base.round, err)  # fmt: skip
    else:
        log.info("round %d may inherit the weights of round %d", step.round, base.round)


def _remove(store: Store, step: Step, name: str) -> None:
    # a folder of that name, which user code may have made, is the trainer's to refuse
    with contextlib.suppress(FileNotFoundError, IsADirectoryError, PermissionError):
        (store.output_dir(step.experiment, step.round) / name).unlink()
