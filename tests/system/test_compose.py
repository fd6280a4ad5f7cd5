"""The full set-up: an experiment outlives the worker that watches it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pushtrain.adapters.store import Store
from pushtrain.contract import (
    LABEL_ATTEMPT,
    LABEL_EXPERIMENT,
    LABEL_ROUND,
    LABEL_STORE,
    TRAIN_DAG,
    State,
)
from pushtrain.local import compose, docker_command
from pushtrain.local.airflow_api import AirflowApi
from pushtrain.local.compose_stack import Stack, compose_command, one_shot
from pushtrain.local.free_port import next_free_port
from pushtrain.local.paths import current_home

pytestmark = [pytest.mark.docker, pytest.mark.airflow, pytest.mark.slow]

SCRIPT = Path(__file__).parent / "scripts" / "held_knn.py"
WORKERS = ("worker-1", "worker-2")
# what a dead worker may go unnoticed: Airflow waits 40 s for a heartbeat and looks every 10 s
NOTICE_SECONDS = 60.0
# the 15 s before the next try, and its way through the broker to the other worker
ADOPTION_SECONDS = 45.0


@dataclass(frozen=True)
class Copy:
    """A copy of the full set-up that has nothing in common with another one on this engine."""

    stack: Stack
    variables: dict[str, str]
    events: Path

    @property
    def api(self) -> AirflowApi:
        return AirflowApi(self.variables["PAGE_URL"], password=self.variables["ADMIN_PASSWORD"])

    def exec(self, service: str, *command: str) -> str:
        return docker_command.output("exec", self.stack.container(service), *command)

    def trainings(self) -> list[str]:
        """Return the ids of the training containers of this copy's store that run now."""
        label = f"label={LABEL_STORE}={self.variables['STORE_VOLUME']}"
        return docker_command.output("ps", "-q", "--no-trunc", "--filter", label).split()

    def created(self, experiment: str) -> list[tuple[str, str, str]]:
        """Return round, attempt and id of every container that was ever made for it."""
        events = [json.loads(line)["Actor"] for line in self.events.read_text().splitlines()]
        labels = [(e["Attributes"], e["ID"]) for e in events]
        return sorted(
            (values[LABEL_ROUND], values[LABEL_ATTEMPT], container)
            for values, container in labels
            if values.get(LABEL_EXPERIMENT) == experiment
        )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    tmp_path = tmp_path_factory.mktemp("compose")
    home, project = current_home(), f"pushtrain-test-{os.getpid()}"
    env_file = tmp_path / "env"
    env_file.write_text(
        f"WEB_PORT={next_free_port(18080)}\n"
        f"STORE_VOLUME={project}-store\nREPOS_VOLUME={project}-repos\nMAIL_VOLUME={project}-mail\n"
        "AIRFLOW__PUSHTRAIN__POLL_SECONDS=2\n"
    )
    variables = compose.prepare(env_file, home)
    stack = Stack(compose_command(home), project, env_file)
    running = Copy(stack, variables, tmp_path / "events")
    filters = ["--filter", "event=create", "--filter", f"label={LABEL_EXPERIMENT}"]
    with running.events.open("wb") as sink:
        events = subprocess.Popen(
            ["docker", "events", *filters, "--format", "{{json .}}"], stdout=sink
        )
    try:
        print(f"\nhealthy after {stack.up():.0f} s")
        yield running
    finally:
        keep_logs(running, home.logs / "compose-test")
        if left := running.trainings():
            docker_command.output("rm", "--force", *left)
        stack.down(volumes=True)
        events.terminate()
        events.wait()


def keep_logs(running: Copy, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    running.stack.save_logs(folder)
    tasks = f"{running.stack.container('api-server')}:/opt/airflow/logs"
    docker_command.output("cp", tasks, str(folder / "tasks"))


def wait_for(what: str, look: Callable[[], Any], seconds: float) -> Any:
    """Return the first true value of `look`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.5)
    return found


def push(running: Copy, folder: Path) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)  # the container reads it as another user
    shutil.copy(SCRIPT, folder / SCRIPT.name)
    mounts = {running.variables["REPOS_VOLUME"]: "/repos", str(folder): "/examples:ro"}
    command = ["python3", "-m", "pushtrain.local.compose_push", "/examples"]
    pushed = one_shot(running.variables["AIRFLOW_IMAGE"], mounts, *command)
    assert pushed.returncode == 0, pushed.stderr.decode()


def inspect(container: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker_command.output("inspect", container))[0]
    return found


def test_only_workers_reach_the_engine(copy: Copy) -> None:
    services = ("api-server", "scheduler", "dag-processor", "triggerer", "mailbox", *WORKERS)
    mounted = {s: inspect(copy.stack.container(s))["HostConfig"]["Binds"] for s in services}

    socket = copy.variables["DOCKER_SOCKET"]
    assert [s for s in services if any(b.startswith(socket) for b in mounted[s])] == [*WORKERS]


def test_training_outlives_its_worker_and_is_adopted_not_doubled(
    copy: Copy, tmp_path: Path
) -> None:
    assert not copy.api.import_errors()
    push(copy, tmp_path / "examples")
    (training,) = wait_for("a training container", copy.trainings, 120)
    before = inspect(training)
    experiment = before["Config"]["Labels"][LABEL_EXPERIMENT]
    run = f"/api/v2/dags/{TRAIN_DAG}/dagRuns/{experiment}.r0.a1"
    task = f"{run}/taskInstances/train_sklearn/0"  # mapped over the rounds, which is one here
    first = copy.api.call("GET", task)
    killed_at = time.monotonic()
    docker_command.output("kill", copy.stack.container(first["hostname"]))

    def is_noticed() -> bool:
        now = copy.api.call("GET", task)
        return now["try_number"] > 1 or now["state"] != "running"

    wait_for("notice of the worker's death", is_noticed, NOTICE_SECONDS)

    def second_try() -> Any:
        now = copy.api.call("GET", task)
        return now if (now["try_number"], now["state"]) == (2, "running") else None

    second = wait_for("a second try on the other worker", second_try, ADOPTION_SECONDS)
    print(f"taken over {time.monotonic() - killed_at:.0f} s after the worker was killed")

    survivor = second["hostname"]
    assert {first["hostname"], survivor} == set(WORKERS)
    after = inspect(training)
    assert after["State"]["Running"]
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]
    assert copy.trainings() == [training]

    record = f"/store/experiments/{experiment}/experiment.json"

    def ended() -> dict[str, Any] | None:
        for each in copy.trainings():
            docker_command.output("exec", each, "touch", "/work/model_src/go")
        found: dict[str, Any] = json.loads(copy.exec(survivor, "cat", record))
        return found if found["published"] else None

    wait_for("a published model", ended, 180)
    docker_command.output("cp", f"{copy.stack.container(survivor)}:/store", str(tmp_path / "store"))
    store = Store(tmp_path / "store")
    store.begin()
    found = store.experiment(experiment)
    rounds = store.rounds(experiment)
    attempts = [(r.round, a) for r in rounds for a in store.attempts(experiment, r.round)]
    assert found.state is State.REACHED
    assert len(rounds) > 1, "the loop was to be seen at work"
    assert attempts[0][1].container_id == training
    assert copy.created(experiment) == [
        (str(number), str(attempt.number), attempt.container_id) for number, attempt in attempts
    ]
    assert [attempt.number for _, attempt in attempts] == [1] * len(rounds)
    assert wait_for("a mail", lambda: copy.exec("mailbox", "ls", "/mail"), 30)
