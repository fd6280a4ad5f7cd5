"""What the scenarios share: a folder, the choice of instants, one running Airflow."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.system.world import World
from tests.system.worlds import open_world

# a training that says nothing for so long hangs: the default would make each try of it 2 minutes
STARTUP_SECONDS = 15


class Setup:
    """What a run of `make chaos` has; used by several threads at once.

    Processes that are started while it is open are found again by `leftovers.MARK` in their
    environment, containers by a label or by their store: a later run removes them if this one
    could not.

    Attributes:
        folder: Its own; scenarios make folders of their own in it.
        seed: Chooses the instants; the same seed chooses the same ones.
        kills: How many random kills the storm makes.
        short: Whether each scenario is tried once only.
        shared: What scenarios make for each other, by name.
    """

    def __init__(self, folder: Path, *, seed: int, kills: int, short: bool) -> None:
        self.folder = folder
        self.seed = seed
        self.kills = kills
        self.short = short
        self.shared: dict[str, object] = {}
        self._started = time.monotonic()
        self._opening = threading.Lock()
        self._printing = threading.Lock()
        self._open = ExitStack()
        self._with_world = ExitStack()
        self._world: World | None = None
        self._was_tried = False

    def random_of(self, name: str) -> random.Random:
        """Return the choices of one scenario: they do not depend on what ran before it."""
        return random.Random(f"{self.seed} {name}")

    def tries(self, full: int) -> int:
        """Return how often a scenario is tried that the full form tries `full` times."""
        return 1 if self.short else full

    def say(self, scenario: str, text: str) -> None:
        """Print a line of progress."""
        with self._printing:
            seconds = time.monotonic() - self._started
            print(f"[{seconds:5.0f} s] {scenario}: {text}", flush=True)

    @property
    def world(self) -> World:
        """The running Airflow of all scenarios that need one; started when it is first asked.

        Raises:
            RuntimeError: It did not start the first time: it is not tried again.
        """
        with self._opening:
            if not self._was_tried:
                self._was_tried = True
                self._world = self._open_world()
            if self._world is None:
                raise RuntimeError("Airflow did not start: see above")
            return self._world

    def _open_world(self) -> World:
        self.say("set-up", "starting Airflow")
        settings = {"startup_seconds": str(STARTUP_SECONDS)}
        # nobody waits for what runs in it at the end
        opened = open_world(self.folder / "world", settings, grace_seconds=1.0)
        world = self._with_world.enter_context(opened)
        self.say("set-up", f"Airflow is up on {world.api.base_url}")
        return world

    def on_close(self, act: Callable[[], object]) -> None:
        """Have something done at the end, whatever happens."""
        self._open.callback(act)

    def close_world(self) -> None:
        """Stop the shared Airflow, once nobody needs it any more."""
        self._with_world.close()
        self._world = None

    def close(self) -> None:
        """Stop what was started."""
        with self._open:  # also if the world can not be stopped
            self.close_world()
