"""A set-up whose engine and disk are its own, so that both can be taken away."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.chaos.loop_store import LoopStore
from tests.chaos.own_engine import OwnEngine
from tests.chaos.setup import STARTUP_SECONDS, Setup
from tests.chaos.trainings import Reference
from tests.system.container_events import LABEL_STORE, ContainerEvents
from tests.system.git_recorder import GitRecorder
from tests.system.world import World

from pushtrain.contract import MONITOR_DAG, TRAIN_DAG
from pushtrain.local.airflow_env import Ports
from pushtrain.local.model_repo import WATCHED_PATH, model_repo
from pushtrain.local.paths import Home, current_home
from pushtrain.local.state_file import read_state, write_state

PORTS = Ports(api=8580, worker_log=8583, trigger_log=8584)
# trainings are made in the image that is loaded; others would take minutes to copy
FAMILY = "ann"


class EngineEvents(ContainerEvents):
    """What happened on an engine that dies and comes back: it forgets, this does not."""

    def __init__(self, engine: OwnEngine, store: Path, log: Path) -> None:
        self._engine, self._store, self._log = engine, store, log

    def listen(self, since: float) -> None:
        """Go on listening on an engine that was just started.

        Args:
            since: Before its start (Unix time); nothing that it did meanwhile is missed.
        """
        with self._log.open("ab") as sink:
            command = ["docker", "--host", self._engine.url, "events", "--since", f"{since:.3f}"]
            command += ["--format", "{{json .}}", "--filter", "type=container"]
            command += ["--filter", f"label={LABEL_STORE}={self._store}"]
            self._process = subprocess.Popen(command, stdout=sink, stderr=subprocess.DEVNULL)


class Outside(Setup):
    """A setup with a world of its own; `engine` and `disk` are below it.

    Attributes:
        engine: Runs the trainings.
        disk: Holds the store.
    """

    def __init__(self, setup: Setup) -> None:
        super().__init__(
            setup.folder / "outside", seed=setup.seed, kills=setup.kills, short=setup.short
        )
        self.say = setup.say  # type: ignore[method-assign]  # one clock for all lines
        home = Home(self.folder / "home")
        self.engine = OwnEngine(current_home().root / "chaos-engine", self.folder / "engine")
        self.disk = LoopStore(self.folder / "store.img", home.store)
        self.events = EngineEvents(self.engine, home.store, self.folder / "containers.log")
        self._live_restore = True
        setup.on_close(self.close)

    @classmethod
    def of(cls, setup: Setup) -> Outside:
        """Return the one of a run, made when it is first asked for."""
        found = setup.shared.get("outside")
        if not isinstance(found, cls):
            found = setup.shared["outside"] = cls(setup)
        return found

    @property
    def reference(self) -> Reference:
        """An undisturbed training, which has ended."""
        reference = Reference.of(self)
        assert reference.ended
        return reference

    def start_engine(self, *, live_restore: bool) -> None:
        """Start the engine and go on listening to it."""
        before, self._live_restore = time.time(), live_restore
        self.engine.start(live_restore=live_restore)
        self.events.listen(before)

    def use(self, *, live_restore: bool) -> None:
        """Have the engine run in this mode; no training may be under way."""
        assert self.world
        if self._live_restore is not live_restore:
            self.engine.stop()
            self.start_engine(live_restore=live_restore)

    @property
    def open_disk(self) -> LoopStore:
        """The disk, once the store lies on it."""
        assert self.world
        return self.disk

    def hurry_in(self, container: str) -> None:
        """Have a training done quickly whose tree can not be reached from here."""
        self.engine.docker("exec", container, "touch", f"{WATCHED_PATH}/hurry")

    def failed_trainings(self) -> list[str]:
        """Return the runs that trained, or were to train, and wait for their next try."""
        query = f"/api/v2/dags/{TRAIN_DAG}/dagRuns/~/taskInstances?state=up_for_retry"
        return [t["dag_run_id"] for t in self.world.api.call("GET", query)["task_instances"]]

    def waiting_tasks(self, task: str) -> list[str]:
        """Return the runs of the monitor in which a task failed and is to be tried again."""
        query = f"/api/v2/dags/{MONITOR_DAG}/dagRuns/~/taskInstances?state=up_for_retry"
        found = self.world.api.call("GET", query)["task_instances"]
        return [str(t["dag_run_id"]) for t in found if t["task_id"] == task]

    def _open_world(self) -> World:
        return self._open.enter_context(self._opened())

    @contextmanager
    def _opened(self) -> Iterator[World]:
        assert os.geteuid() == 0, "an engine and a disk of one's own need root"
        self.say("outside", "starting an engine, a disk and an Airflow of its own")
        self.folder.mkdir(parents=True)
        home = Home(self.folder / "home")
        with ExitStack() as stack:
            self.disk.make()
            stack.callback(self.disk.unmount)
            stack.callback(self.engine.close)
            self.start_engine(live_restore=True)
            stack.callback(self.events.close)
            self.engine.remove_containers()  # of a run that was cut off
            home.make()
            write_state(home.state / "ports.json", dataclasses.asdict(PORTS))
            shutil.copy(current_home().state / "images.json", home.state)
            loading = threading.Thread(target=self.engine.load, args=([self._image()],))
            loading.start()
            git = GitRecorder(self.folder / "bin")
            git.make()
            settings = {"docker_url": self.engine.url, "startup_seconds": str(STARTUP_SECONDS)}
            world = World(home, settings, self.engine, self.events, git)  # type: ignore[arg-type]
            stack.callback(world.stop, 1.0)  # nobody waits for what runs in it at the end
            model_repo(home).make()
            world.start()
            world.wait_until_seen(world.repo.git("rev-parse", "HEAD"))
            loading.join()
            self.say("outside", f"Airflow is up on {world.api.base_url}")
            yield world

    @staticmethod
    def _image() -> str:
        return str(read_state(current_home().state / "images.json")[FAMILY])
