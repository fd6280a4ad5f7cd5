"""Opens a whole set-up of its own and takes it away again."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.system.container_events import ContainerEvents, remove_containers
from tests.system.engine_proxy import EngineProxy
from tests.system.git_recorder import GitRecorder
from tests.system.world import World

from pushtrain.local.airflow_env import Ports
from pushtrain.local.engine import engine_url
from pushtrain.local.model_repo import model_repo
from pushtrain.local.paths import Home, current_home
from pushtrain.local.standalone import STOP_SECONDS
from pushtrain.local.state_file import write_state

# away from the ports that a demo on the same machine looks for first
PORTS = Ports(api=8480, worker_log=8483, trigger_log=8484)


@contextmanager
def open_world(
    root: Path,
    settings: Mapping[str, str] | None = None,
    ports: Ports = PORTS,
    grace_seconds: float = STOP_SECONDS,
) -> Iterator[World]:
    """Yield a running Airflow with a model repo, a mailbox and a store of its own.

    Args:
        root: An empty folder, made if it is not there.
        settings: Of `[pushtrain]`, where they are not the embedded Airflow's.
        ports: Where free ones are looked for first.
        grace_seconds: What Airflow gets to end by itself.
    """
    engine = engine_url()
    assert engine.startswith("unix://"), f"these tests need an engine on a socket, not {engine}"
    root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        proxy = EngineProxy(root / "engine.sock", engine.removeprefix("unix://"))
        stack.callback(proxy.close)
        proxy.start()
        home = Home(root / "home")
        home.make()
        write_state(home.state / "ports.json", dataclasses.asdict(ports))
        git = GitRecorder(root / "bin")
        git.make()
        # `make images` has built them, for the checkout's own home
        shutil.copy(current_home().state / "images.json", home.state)
        containers = ContainerEvents(home.store, root / "containers.log")
        stack.callback(containers.close)
        stack.callback(remove_containers, home.store)
        world = World(home, {"docker_url": proxy.url, **(settings or {})}, proxy, containers, git)
        stack.callback(world.stop, grace_seconds)
        model_repo(home).make()
        world.start()
        # the first look at a branch only sets the mark that later pushes are compared with
        world.wait_until_seen(world.repo.git("rev-parse", "HEAD"))
        yield world
