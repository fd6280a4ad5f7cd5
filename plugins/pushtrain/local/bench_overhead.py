"""`make bench-overhead`: what a round costs beside its training, against a floor.

The floor is the same number of empty tasks, one after the other, in the same Airflow: what no DAG
of that many tasks can be quicker than. Both are medians over several runs of one session on one
machine; only their ratio means something elsewhere.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pushtrain.adapters.store import Store, is_open
from pushtrain.contract import TRAIN_DAG, run_id
from pushtrain.errors import OutsideError, PushtrainError
from pushtrain.local import standalone
from pushtrain.local.airflow_api import AirflowApi
from pushtrain.local.airflow_env import Watched
from pushtrain.local.model_repo import ModelRepo, model_repo
from pushtrain.local.paths import CHECKOUT, Home, current_home
from pushtrain.local.state_file import read_state, write_state

FLOOR_DAG = "bench_floor"
ROUNDS = 6
SECONDS = 300.0
T = TypeVar("T")

# A training of a second that never reaches its target: all rounds but the last one go on.
SCRIPT = """\
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
knn = KNeighborsClassifier(n_neighbors=200)
knn.fit(X_train, y_train)
print(knn.score(X_test, y_test))
"""
SETTINGS = f"""\
[tool.pushtrain]
target_accuracy = 1.0
max_rounds = {ROUNDS}
patience = {ROUNDS}
"""
FLOOR = f"""\
from datetime import UTC, datetime

from airflow.sdk import DAG, task

with DAG("{FLOOR_DAG}", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    last = None
    for number in range(TASKS):
        @task(task_id=f"empty_{{number}}")
        def empty():
            return number

        this = empty()
        if last is not None:
            last >> this
        last = this
"""


@dataclass(frozen=True)
class BenchHome(Home):
    """A home with a DAG more."""

    @property
    def dags(self) -> Path:
        """The project's DAGs and the floor."""
        return self.root / "dags"


def main() -> int:
    """Measure and print the table; leaves nothing running."""
    usual = current_home()
    home = BenchHome(usual.root / "bench")
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    write_state(home.state / "images.json", read_state(usual.state / "images.json"))
    shutil.copytree(CHECKOUT / "dags", home.dags, ignore=shutil.ignore_patterns("__pycache__"))
    repo = model_repo(home)
    repo.make()
    watched = Watched(repo.url, poll_seconds=1, is_local=True, is_apart=True)
    try:
        running = standalone.up(home, watched, with_mailbox=False)
        print(measure(home, repo, running.api), flush=True)
    except PushtrainError as err:
        print(f"bench-overhead: {err}", file=sys.stderr)
        return 1
    finally:
        standalone.down(home)
    return 0


def measure(home: BenchHome, repo: ModelRepo, api: AirflowApi) -> str:
    """Run the rounds, then the floor, and return the table."""
    store = Store(home.store)
    pushed_at = _push(repo)
    experiment = _until(
        "the experiment to end",
        lambda: next((e for e in store.experiments() if not is_open(e)), None),
    )
    rounds = [r.round for r in store.rounds(experiment.id)][:-1]
    overheads, counts = [], []
    for number in rounds:
        name = run_id(experiment.id, number, 1)
        attempt = store.attempts(experiment.id, number)[0]
        training = (attempt.ended_at or 0.0) - attempt.started_at
        overheads.append(_run_seconds(api, TRAIN_DAG, name) - training)
        counts.append(_tasks_of(api, name))
    tasks = max(counts)
    floors = _floor(home, api, tasks, len(rounds))
    first = store.attempts(experiment.id, 0)[0].started_at - pushed_at
    overhead, floor = statistics.median(overheads), statistics.median(floors)
    return "\n".join(
        (
            f"rounds measured              {len(rounds)}",
            f"tasks that run in a round    {tasks}",
            f"overhead per round           {overhead:.2f} s  (run time - container time)",
            f"floor                        {floor:.2f} s  ({tasks} empty tasks)",
            f"ratio                        {overhead / floor:.2f}",
            f"push -> container start      {first:.1f} s  (asked every second)",
        )
    )


def _push(repo: ModelRepo) -> float:
    folder = repo.clone / "model_src"
    folder.mkdir(exist_ok=True)
    (folder / "bench.py").write_text(SCRIPT, encoding="utf-8")
    (repo.clone / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    repo.commit_and_push("Train")
    return time.time()


def _floor(home: BenchHome, api: AirflowApi, tasks: int, runs: int) -> list[float]:
    text = FLOOR.replace("TASKS", str(tasks))
    (home.dags / "bench_floor.py").write_text(text, encoding="utf-8")
    _until("the floor DAG", lambda: FLOOR_DAG in api.dag_ids())
    seconds = []
    for number in range(runs):
        name = f"floor-{number}"
        body = {"dag_run_id": name, "logical_date": None}
        api.call("POST", f"/api/v2/dags/{FLOOR_DAG}/dagRuns", body)
        seconds.append(_run_seconds(api, FLOOR_DAG, name))
    return seconds


def _run_seconds(api: AirflowApi, dag: str, name: str) -> float:
    run = _until(f"the run {name}", lambda: _ended(api, dag, name))
    if run["state"] != "success":
        raise OutsideError(f"the run {name} ended as {run['state']}")
    start, end = (datetime.fromisoformat(run[k]) for k in ("start_date", "end_date"))
    return (end - start).total_seconds()


def _ended(api: AirflowApi, dag: str, name: str) -> dict[str, Any] | None:
    run: dict[str, Any] = api.call("GET", f"/api/v2/dags/{dag}/dagRuns/{name}")
    return run if run["end_date"] else None


def _tasks_of(api: AirflowApi, name: str) -> int:
    """Return how many tasks of a run had a process; skipped without one do not count."""
    path = f"/api/v2/dags/{TRAIN_DAG}/dagRuns/{name}/taskInstances"
    return sum(bool(ti["duration"]) for ti in api.call("GET", path)["task_instances"])


def _until(what: str, look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise OutsideError(f"waited {SECONDS:.0f} s for {what}")
        time.sleep(0.2)
    return found


if __name__ == "__main__":
    sys.exit(main())
