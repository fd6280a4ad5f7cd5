"""The task `fetch_code`: what to train, and the tree of a round on disk."""

from __future__ import annotations

import logging
import shutil
import time
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from pushtrain import settings
from pushtrain.adapters.store import Store, give_to_training
from pushtrain.contract import Step
from pushtrain.errors import ConfigurationError, StoreError
from pushtrain.operators.model_repo import opened
from pushtrain.operators.opening import open_named, open_pushed, resume
from pushtrain.operators.trees import export_clean
from pushtrain.rules.request import Request
from pushtrain.rules.run_notes import run_note

log = logging.getLogger(__name__)


def fetch_code(request_record: dict[str, Any]) -> list[dict[str, Any]] | list[int]:
    """Do what the run was asked for.

    Args:
        request_record: The `Request` that the sensor returned.

    Returns:
        What to trigger, as arguments of TriggerDagRunOperator; if this run is itself a step, the
        rounds that it trains side by side, whose trees lie in their folders then.

    Raises:
        AirflowFailException: The request can never be met.
        OutsideError: The model repo can not be reached, or the store's disk is full or not
            mounted; a retry may meet it.
    """
    request = Request.from_dict(request_record)
    config = settings.load()
    store = Store(config.store_path)
    try:
        if request.step:
            batch = store.batch(request.step)
            for step in batch:
                lay_out(config, store, step)
            return [step.round for step in batch]
        if request.kind == "resume":
            return [run_of(store, resume(config, store, request))]
        store.require()
        with opened(config, request.repo_url or config.repo_url) as mirror:
            if request.kind == "manual":
                steps = open_named(config, store, mirror, request)
                return [run_of(store, s) for s in steps]
            steps = open_pushed(config, store, mirror)
    except (ConfigurationError, StoreError) as err:
        raise AirflowFailException(str(err)) from err
    return [*(run_of(store, s) for s in steps), *_watch_on(request.until)]


def _watch_on(until: float) -> list[dict[str, Any]]:
    """The schedule comes once a window: a run of its own watches what is left of it."""
    now = time.time()
    if now >= until:
        return []
    run_id = f"watch.{until:.0f}.{now:.0f}"
    note = f"watches until {datetime.fromtimestamp(until, UTC):%H:%M:%S} UTC"
    return [{"trigger_run_id": run_id, "conf": {"watch_until": until}, "note": note}]


def run_of(store: Store, step: Step) -> dict[str, Any]:
    """Return the arguments of TriggerDagRunOperator that start a step."""
    conf = step.to_dict()
    conf.pop("schema")
    return {"trigger_run_id": step.run_id, "conf": conf, "note": _note(store, step)}


def _note(store: Store, step: Step) -> str:
    """Return what the run's note says; a run without one is better than none."""
    try:
        experiment = store.experiment(step.experiment)
        tweaks = [store.tweak(s.experiment, s.round) for s in store.batch(step)]
        attempts = store.attempts(step.experiment, step.round)
        before = [a for a in attempts if a.number < step.attempt]
        return run_note(experiment, step, [t for t in tweaks if t], before)
    except Exception as err:
        log.warning("the run %s gets no note (%s: %s)", step.run_id, type(err).__name__, err)
        return ""


def lay_out(config: settings.Settings, store: Store, step: Step) -> None:
    """Lay the round's tree into its folder, once; a restart finds what the script wrote there.

    The tree is laid aside and renamed, so that a crash leaves no half of it. It comes last: a
    round whose source is there is complete.
    """
    source = store.source_dir(step.experiment, step.round)
    if source.exists():
        return
    experiment = store.experiment(step.experiment)
    commit = store.commit_of(experiment, step.round)
    aside = source.with_name("source.part")
    shutil.rmtree(aside, ignore_errors=True)
    store.make_folder(aside)
    with opened(config, experiment.repo_url) as mirror:
        notes = tuple(export_clean(mirror, commit, experiment.script, aside))
    if notes and not step.round:
        store.update_experiment(experiment.id, notes=notes)
    store.prepare_output(step.experiment, step.round)
    give_to_training(aside)
    aside.rename(source)
