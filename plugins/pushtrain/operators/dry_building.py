"""Builds a proposed version of a script in a container, without training it."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path

from docker import APIClient

from pushtrain.adapters import engine
from pushtrain.adapters.attempts import error_line
from pushtrain.adapters.container_ends import ContainerEnd, end_of
from pushtrain.adapters.mirror import Mirror
from pushtrain.adapters.records import read_json
from pushtrain.adapters.store import Store, give_to_training
from pushtrain.adapters.training_container import dry_labels, dry_spec_of
from pushtrain.analysis.families import image_of
from pushtrain.contract import Build, Cause, Experiment, Result, Step
from pushtrain.errors import StoreError
from pushtrain.history import Tweak
from pushtrain.operators.trees import export_clean
from pushtrain.rules.plain_text import whole_characters
from pushtrain.settings import Settings
from pushtrain.tuning.step import NextVersion

log = logging.getLogger(__name__)

# Loading the data may take its time; what takes longer than this is trained as it is.
_SECONDS = 300.0

_SIZES = frozenset({"units", "filters", "kernel_size", "depth"})


def refusal_of(
    config: Settings,
    store: Store,
    mirror: Mirror,
    experiment: Experiment,
    proposal: NextVersion,
    base_commit: str,
) -> str:
    """Return why a proposal can not be trained; empty if it can, or if nobody can tell.

    Only what the analysis is not certain of is built, and only if the script's settings have it.

    Args:
        config: The operator's settings.
        store: With the knobs and the result of the round that is changed.
        mirror: With its commit.
        experiment: What it is about.
        proposal: The change.
        base_commit: Of the round that is changed.

    Raises:
        OutsideError: The engine does not answer.
        ConfigurationError: The image is not there.
    """
    if not _is_in_doubt(store, experiment, proposal.tweak):
        return ""
    number = proposal.tweak.round
    folder = store.dry_dir(experiment.id, number, len(store.refusals(experiment.id, number)) + 1)
    started = time.monotonic()
    try:
        _lay_out(mirror, folder, experiment.script, proposal, base_commit)
        with engine.clear_errors(config.docker_url):
            end = _run(config, store, experiment, Step(experiment.id, number, 1), folder)
        why = _judged(store, experiment, proposal.tweak, folder / "output", end)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    log.info("dry build of round %d: %.1f s, %s", number, time.monotonic() - started, why or "fits")
    return why


def _is_in_doubt(store: Store, experiment: Experiment, tweak: Tweak) -> bool:
    if not experiment.settings.dry_build:
        return False
    base = tweak.round - 1 if tweak.base is None else tweak.base
    doubtful = {k.id for k in store.knobs(experiment.id, base) if not k.certain}
    return any(change.knob in doubtful for change in tweak.changes)


def _lay_out(
    mirror: Mirror, folder: Path, script: str, proposal: NextVersion, base_commit: str
) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what a task left that was killed
    source, output = folder / "source", folder / "output"
    source.mkdir(parents=True)
    output.mkdir()
    export_clean(mirror, base_commit, script, source)
    for path, text in proposal.sources.items():
        # in place, so that it keeps its mode; sources hold bytes that are no UTF-8 as surrogates
        (source / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    give_to_training(source)
    give_to_training(output)


def _run(
    config: Settings, store: Store, experiment: Experiment, step: Step, folder: Path
) -> ContainerEnd | None:
    """Return how the build ended, None if it took too long."""
    if experiment.family is None:
        return None
    image = config.image(image_of(experiment.family))
    api = APIClient(base_url=config.docker_url, version="auto")
    engine.remove_others(api, dry_labels(config, step), keep="")
    engine.require_image(api, image)
    made = engine.create(api, dry_spec_of(api, config, store, experiment, step, image, folder))
    try:
        api.start(made)
        if not engine.has_ended(api, made, _SECONDS):
            return None
        return end_of(api, made)
    finally:
        engine.remove(api, made)


def _judged(
    store: Store,
    experiment: Experiment,
    tweak: Tweak,
    output: Path,
    end: ContainerEnd | None,
) -> str:
    """Return why the build is refused; what was killed or took too long is no verdict."""
    if end is None:
        log.warning("the dry build took more than %.0f s: the tweak is trained unseen", _SECONDS)
        return ""
    if end.cause is Cause.OUT_OF_MEMORY:
        return end.message
    try:
        if end.cause is Cause.SCRIPT_ERROR:
            result = read_json(output / "result.json")
            error = Result.from_dict(result).error if result else None
            return whole_characters(error_line(error)) if error else ""
        built = read_json(output / "build.json") if end.cause is Cause.FINISHED else None
        return _unchanged(store, experiment, tweak, Build.from_dict(built)) if built else ""
    except (StoreError, TypeError, ValueError) as err:  # user code can write these records
        log.warning("the dry build left a record that can not be read: %s", err)
        return ""


def _unchanged(store: Store, experiment: Experiment, tweak: Tweak, build: Build) -> str:
    """Return why a change of sizes that changed no size is refused."""
    base = tweak.round - 1 if tweak.base is None else tweak.base
    kinds = {k.id: k.kind for k in store.knobs(experiment.id, base)}
    before = store.result(experiment.id, base)
    sized = any(kinds.get(change.knob) in _SIZES for change in tweak.changes)
    if sized and before and build.parameters and build.parameters == before.built:
        return (
            f"it changes nothing in the model that is trained first: {build.parameters} weights "
            "as before"
        )
    return ""
