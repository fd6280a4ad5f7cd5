"""`make bench-recovery`: seconds from the kill of a training's container to its next batch.

One training is killed several times, and each way back is taken apart by what Airflow and the
store wrote down. The seconds mean something on a machine that does nothing else.
"""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pushtrain.adapters.store import Store
from pushtrain.contract import MONITOR_DAG, TRAIN_DAG, Attempt, Heartbeat, run_id
from pushtrain.errors import OutsideError, PushtrainError
from pushtrain.local import standalone
from pushtrain.local.airflow_api import AirflowApi
from pushtrain.local.airflow_env import Watched
from pushtrain.local.model_repo import ModelRepo, model_repo
from pushtrain.local.paths import Home, current_home
from pushtrain.local.state_file import read_state, write_state

KILLS = 5
SECONDS = 300.0
LOOK_SECONDS = 0.02
T = TypeVar("T")

# Epochs of about a second, of 20 batches each, for longer than the measurement takes.
SCRIPT = """\
import time

import keras
import numpy as np

X = np.random.default_rng(0).random((640, 32), dtype="float32")
y = X.sum(axis=1) > 16
model = keras.Sequential([keras.layers.Dense(16), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
breathe = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.05))
model.fit(X, y, epochs=2000, batch_size=32, callbacks=[breathe], verbose=0)
"""
SETTINGS = """\
[tool.pushtrain]
target_accuracy = 1.0
"""
# What ends each step of the way, in order.
STEPS = (
    "its end is on record",
    "the monitor has seen it, its task runs",
    "the restart is decided",
    "the new run is triggered",
    "its first task runs",
    "its code is laid out",
    "its training task runs",
    "its container is there",
    "the trainer speaks",
    "the first new batch",
)


def main() -> int:
    """Measure and print the table; leaves nothing running."""
    usual = current_home()
    home = Home(usual.root / "bench")
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    write_state(home.state / "images.json", read_state(usual.state / "images.json"))
    repo = model_repo(home)
    repo.make()
    watched = Watched(repo.url, poll_seconds=1, is_local=True, is_apart=True)
    try:
        running = standalone.up(home, watched)
        print(table(measure(home, repo, running.api, _kills())), flush=True)
    except PushtrainError as err:
        print(f"bench-recovery: {err}", file=sys.stderr)
        return 1
    finally:
        standalone.down(home, grace_seconds=0)
        _remove_containers(home)
    return 0


def _kills() -> int:
    return int(os.environ.get("BENCH_KILLS") or KILLS)


def measure(home: Home, repo: ModelRepo, api: AirflowApi, kills: int) -> list[list[float]]:
    """Kill a training several times; return the Unix times of each kill and the steps after it."""
    store = Store(home.store)
    _push(repo)
    experiment = _until("an experiment", lambda: next(iter(store.experiments()), None)).id
    ways = []
    for number in range(1, kills + 1):
        # the second epoch of an attempt: it has made progress, so nothing is waited for
        _batch_of(store, experiment, number, epochs=2)
        attempt = store.attempt(experiment, 0, number)
        assert attempt, "a training that beats has a record"
        killed_at = time.time()
        subprocess.run(["docker", "kill", attempt.container], check=True, capture_output=True)
        spoke_at, batch_at = _batch_of(store, experiment, number + 1)
        old, new = store.attempts(experiment, 0)[-2:]
        marks = _marks(api, run_id(experiment, 0, number + 1), old, new)
        way = [killed_at, *marks, spoke_at, batch_at]
        print(f"kill {number}: {batch_at - killed_at:.1f} s", flush=True)
        ways.append(way)
    return ways


def table(ways: list[list[float]]) -> str:
    """Return the median of each step, and of the whole."""
    steps = [[b - a for a, b in itertools.pairwise(way)] for way in ways]
    medians = [statistics.median(column) for column in zip(*steps, strict=True)]
    totals = [way[-1] - way[0] for way in ways]
    rows = [f"{name:<52}{median:6.2f} s" for name, median in zip(STEPS, medians, strict=True)]
    whole = f"{statistics.median(totals):6.2f} s  ({min(totals):.1f} to {max(totals):.1f} s)"
    return "\n".join([*rows, f"{f'kill to first new batch, median of {len(ways)}':<52}{whole}"])


def _push(repo: ModelRepo) -> None:
    folder = repo.clone / "model_src"
    folder.mkdir(exist_ok=True)
    (folder / "bench.py").write_text(SCRIPT, encoding="utf-8")
    (repo.clone / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    repo.commit_and_push("Train")


def _batch_of(store: Store, experiment: str, attempt: int, epochs: int = 0) -> tuple[float, float]:
    """Wait for an attempt's first word and batch, in its nth epoch at the earliest."""
    first: list[float] = []
    start = store.finished_epochs(experiment, 0)

    def beats() -> Heartbeat | None:
        beat = store.heartbeat(experiment, 0)
        if not beat or beat.attempt != attempt:
            return None
        first.append(time.time())
        is_far = store.finished_epochs(experiment, 0) >= start + epochs
        return beat if beat.phase == "fit" and beat.batch and is_far else None

    _until(f"a batch of attempt {attempt}", beats)
    return first[0], time.time()


def _marks(api: AirflowApi, new_run: str, old: Attempt, new: Attempt) -> list[float]:
    """Return when each step ended that Airflow knows of, and when the container was there."""
    fresh, ended = _tasks(api, TRAIN_DAG, new_run), old.ended_at or 0.0
    runs = api.call("GET", f"/api/v2/dags/{MONITOR_DAG}/dagRuns?order_by=-run_after&limit=5")
    watches = [_tasks(api, MONITOR_DAG, run["dag_run_id"]) for run in runs["dag_runs"]]
    begun = _time(fresh["wait_for_push"]["start_date"])
    monitor = next(w for w in watches if _happened(w, "plan_restarts", ended, begun))
    plan, restart = monitor["plan_restarts"], monitor["restart"]
    return [
        ended,
        _time(plan["start_date"]),
        _time(plan["end_date"]),
        _time(restart["end_date"]),
        begun,
        _time(fresh["fetch_code"]["end_date"]),
        _time(fresh["train_ann"]["start_date"]),
        new.started_at,
    ]


def _happened(tasks: Mapping[str, Any], task: str, after: float, before: float) -> bool:
    start = tasks.get(task, {}).get("start_date")
    return bool(start) and after <= _time(start) <= before


def _tasks(api: AirflowApi, dag: str, run: str) -> dict[str, Any]:
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?limit=100"
    return {ti["task_id"]: ti for ti in api.call("GET", path)["task_instances"]}


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _remove_containers(home: Home) -> None:
    for experiment in Store(home.store).experiments():
        for attempt in Store(home.store).attempts(experiment.id, 0):
            command = ["docker", "rm", "--force", attempt.container]
            subprocess.run(command, check=False, capture_output=True)


def _until(what: str, look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise OutsideError(f"waited {SECONDS:.0f} s for {what}")
        time.sleep(LOOK_SECONDS)
    return found


if __name__ == "__main__":
    sys.exit(main())
