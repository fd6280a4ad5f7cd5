"""A whole set-up of its own for the system tests: Airflow, model repo, mailbox, store."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.system.container_events import ContainerEvents
from tests.system.engine_proxy import EngineProxy
from tests.system.git_recorder import GitRecorder
from tests.system.mails import Received, read_mails
from tests.system.waiting import wait_for

from pushtrain.adapters.mirror import Mirror, repo_slug
from pushtrain.adapters.store import Store, is_open
from pushtrain.contract import TRAIN_DAG, Experiment
from pushtrain.errors import OutsideError, StoreError
from pushtrain.local import standalone
from pushtrain.local.airflow_api import AirflowApi
from pushtrain.local.airflow_env import Watched
from pushtrain.local.airflow_part import airflow_logs
from pushtrain.local.docker_command import last_lines
from pushtrain.local.model_repo import BRANCH, WATCHED_PATH, ModelRepo, model_repo
from pushtrain.local.paths import Home
from pushtrain.slugs import script_slug

SCRIPTS = Path(__file__).with_name("scripts")
RUNS = f"/api/v2/dags/{TRAIN_DAG}/dagRuns"
# what an experiment of a few rounds may take on a machine that has other things to do, too
PATIENCE_SECONDS = 400.0


@dataclass
class World:
    """The set-up, and how a test acts on it: by git, by REST, by looking at files."""

    home: Home
    settings: Mapping[str, str]
    engine: EngineProxy
    containers: ContainerEvents
    git: GitRecorder
    running: standalone.Running | None = None

    # ------------------------------------------------------------------ set-up
    def start(self) -> None:
        """Start Airflow, or find it running."""
        watched = Watched(self.repo.url, poll_seconds=2, is_local=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", self.git.path)
            # more than this machine may have processors: tests look at trainings side by side
            patch.setenv("PUSHTRAIN_TRAININGS", "8")
            for name, value in self.settings.items():
                patch.setenv(f"AIRFLOW__PUSHTRAIN__{name.upper()}", value)
            self.running = standalone.up(self.home, watched)

    def stop(self, grace_seconds: float = standalone.STOP_SECONDS) -> None:
        """Stop Airflow and the mailbox."""
        standalone.down(self.home, grace_seconds)

    @property
    def repo(self) -> ModelRepo:
        """The model repo that is watched."""
        return model_repo(self.home)

    @property
    def store(self) -> Store:
        """The store."""
        return Store(self.home.store)

    @property
    def mirror(self) -> Mirror:
        """The mirror of the model repo in the store."""
        return Mirror(self.store.mirror_dir(repo_slug(self.repo.url)), self.repo.url)

    @property
    def api(self) -> AirflowApi:
        """A client of Airflow's REST API."""
        assert self.running
        return self.running.api

    # -------------------------------------------------------------------- acts
    def lay(self, *names: str) -> None:
        """Copy files of tests/system/scripts into the clone, pyproject.toml always."""
        folder = self.repo.clone / WATCHED_PATH
        folder.mkdir(exist_ok=True)
        shutil.copy(SCRIPTS / "pyproject.toml", self.repo.clone)
        for name in names:
            shutil.copy(SCRIPTS / name, folder)

    def write(self, name: str, text: str) -> None:
        """Write a script of the clone."""
        (self.repo.clone / WATCHED_PATH / name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        """Return the text of a script of the clone."""
        return (self.repo.clone / WATCHED_PATH / name).read_text(encoding="utf-8")

    def push(self, message: str) -> str:
        """Commit all and push it, as a data scientist does; return the commit."""
        return self.repo.commit_and_push(message)

    def trigger(self, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Trigger the training DAG as a person does and return the run's id."""
        body = {"conf": dict(conf or {}), "logical_date": None, "dag_run_id": run_id}
        answer = self.api.call(
            "POST", RUNS, {k: v for k, v in body.items() if k != "dag_run_id" or v}
        )
        return str(answer["dag_run_id"])

    # ------------------------------------------------------------------- looks
    def id_of(self, script: str, commit: str) -> str:
        """Return the id of the experiment of a script at a commit."""
        return f"{script_slug(script)}-{commit[:8]}"

    def ids_of(self, commit: str) -> set[str]:
        """Return the ids of all experiments of a commit."""
        return {e.id for e in self.store.experiments() if e.commit == commit}

    def experiment(self, experiment: str) -> Experiment | None:
        """Return an experiment, None before it was opened."""
        try:
            return self.store.experiment(experiment)
        except StoreError:
            return None

    def seen(self) -> str | None:
        """Return the commit of the watched branch that was looked at last."""
        return (
            self.mirror.ref(f"refs/pushtrain-seen/{BRANCH}") if self.mirror.path.exists() else None
        )

    def run_ids(self) -> list[str]:
        """Return the ids of all runs of the training DAG."""
        return [r["dag_run_id"] for r in self.api.call("GET", f"{RUNS}?limit=500")["dag_runs"]]

    def runs_of(self, experiment: str) -> list[str]:
        """Return the sorted run ids of an experiment's steps."""
        return sorted(r for r in self.run_ids() if r.startswith(f"{experiment}."))

    def run_state(self, run_id: str) -> str:
        """Return the state of a run, empty if there is none."""
        try:
            return str(self.api.call("GET", f"{RUNS}/{run_id}")["state"])
        except OutsideError as err:
            if "HTTP 404" in str(err):
                return ""
            raise

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run, as Airflow tells of them."""
        return list(
            self.api.call("GET", f"{RUNS}/{run_id}/taskInstances?limit=100")["task_instances"]
        )

    def task(self, run_id: str, task: str) -> dict[str, Any]:
        """Return the (first mapped) instance of a task in a run."""
        return next(t for t in self.tasks(run_id) if t["task_id"] == task)

    def task_log(self, run_id: str, task: str, attempt: int = 1) -> str:
        """Return what a try of a task wrote to its log."""
        folder = self.home.airflow / "logs" / f"dag_id={TRAIN_DAG}" / f"run_id={run_id}"
        paths = folder.glob(f"task_id={task}/**/attempt={attempt}.log")
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in paths)

    def mails(self, *parts: str) -> list[Received]:
        """Return the mails that have all parts in subject or body."""
        found = read_mails(self.home.mail)
        return [m for m in found if all(p in f"{m.subject}\n{m.text}" for p in parts)]

    def mails_about(self, script: str) -> list[Received]:
        """Return the mails about a script: others may name it, as what came with its commit."""
        return [m for m in read_mails(self.home.mail) if f"/{script}" in m.subject]

    # ------------------------------------------------------------------- waits
    def wait(
        self,
        what: str,
        look: Callable[[], Any],
        *experiments: str,
        seconds: float = PATIENCE_SECONDS,
    ) -> Any:
        """Wait for something; failing, tell how the experiments stand."""

        def evidence() -> str:
            return "\n".join(map(self.told, experiments)) or self._airflow_log()

        return wait_for(what, look, seconds, evidence)

    def wait_for_end(self, experiment: str, seconds: float = PATIENCE_SECONDS) -> Experiment:
        """Wait until an experiment has ended and the run that ended it, too."""

        def ended() -> Experiment | None:
            found = self.experiment(experiment)
            if found is None or is_open(found):
                return None
            is_over = self.run_state(found.step.run_id) in ("success", "failed")
            return found if is_over else None

        found: Experiment = self.wait(
            f"the end of {experiment}", ended, experiment, seconds=seconds
        )
        return found

    def wait_for_run(self, run_id: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait until a run has ended and return its state."""

        def ended() -> str | None:
            state = self.run_state(run_id)
            return state if state in ("success", "failed") else None

        state: str = self.wait(f"the end of run {run_id}", ended, seconds=seconds)
        return state

    def wait_for_mail(self, *parts: str) -> Received:
        """Wait for a mail that has all parts in subject or body."""

        def seen() -> str:
            return "mails:\n" + "\n".join(f"  {m.subject} -> {m.to}" for m in self.mails())

        return wait_for(f"a mail with {parts}", lambda: self.mails(*parts), 60, seen)[0]

    def wait_until_seen(self, commit: str) -> None:
        """Wait until a push was looked at, whether it started something or not."""
        self.wait(f"a look at commit {commit[:8]}", lambda: self.seen() == commit, seconds=120)

    # ---------------------------------------------------------------- evidence
    def story(self, experiment: str) -> str:
        """Return how an experiment stands, with the last lines of its tasks' newest logs."""
        found = self.experiment(experiment)
        if found is None:
            known = [e.id for e in self.store.experiments()]
            return f"{experiment}: was not opened; there are {known}"
        age = time.time() - found.updated_at
        where = f"round {found.round}, attempt {found.attempt}, best {found.best_accuracy}"
        lines = [f"{experiment}: {found.state}, {where}, {age:.0f} s ago. {found.reason}"]
        for outcome in self.store.rounds(experiment):
            lines.append(f"  round {outcome.round}: {outcome.accuracy} {outcome.tweak}")
            lines += [f"    {a}" for a in self.store.attempts(experiment, outcome.round)]
        for run_id in self.runs_of(experiment):
            states = {t["task_id"]: t["state"] for t in self.tasks(run_id)}
            lines.append(f"  run {run_id}: {self.run_state(run_id)} {states}")
        return "\n".join([*lines, *self._newest_logs(experiment)])

    def told(self, experiment: str) -> str:
        """Return the story with the end of Airflow's log; Airflow itself may be what is gone."""
        try:
            story = self.story(experiment)
        except OutsideError as err:
            story = f"{experiment}: {err}"
        return f"{story}\n{self._airflow_log()}"

    def _newest_logs(self, experiment: str) -> list[str]:
        logs = (self.home.airflow / "logs").glob(
            f"dag_id={TRAIN_DAG}/run_id={experiment}.*/**/*.log"
        )
        newest = sorted(logs, key=lambda p: p.stat().st_mtime)[-2:]
        return [f"last lines of {path}:\n{_said(path)}" for path in newest]

    def _airflow_log(self) -> str:
        logs = [log for log in airflow_logs(self.home) if log.exists()]
        return "\n".join(f"last lines of {log}:\n{last_lines(log, 8)}" for log in logs)


def _said(log: Path) -> str:
    """Return the last messages of a task's log, without what Airflow says of itself."""
    records = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    said = [
        str(r.get("error_detail") or r.get("event"))[-1500:]
        for r in records
        if r.get("level") != "warning" or "pushtrain" in str(r.get("logger"))
    ]
    return "\n".join(f"    {text}" for text in said if not text.startswith("::"))[-4000:]
