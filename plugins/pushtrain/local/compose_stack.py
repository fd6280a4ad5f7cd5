"""Calls compose, v1.29 or v2, for one copy of docker-compose.airflow.yml and asks how it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pushtrain.errors import ConfigurationError, OutsideError
from pushtrain.local import docker_command, packages
from pushtrain.local.paths import CHECKOUT, Home

COMPOSE_FILE = CHECKOUT / "docker-compose.airflow.yml"
HEALTHY_SECONDS = 300.0
LOOK_SECONDS = 1.0


def compose_command(home: Home) -> list[str]:
    """Return the command that calls compose, installing it where that is allowed.

    Raises:
        ConfigurationError: There is none, and it may or can not be installed.
    """
    if found := _installed():
        return found
    reason = packages.why_not()
    if os.environ.get("PUSHTRAIN_INSTALL_ENGINE") == "0":
        reason = "PUSHTRAIN_INSTALL_ENGINE is 0"
    if not reason:
        print("compose: not here; installing the distribution's package", flush=True)
        packages.install([("docker-compose-v2", "docker-compose")], home.logs / "apt.log")
        if found := _installed():
            return found
        reason = "the distribution's package brought no command"
    raise ConfigurationError(
        "neither `docker compose` nor `docker-compose` is here, and it is not installed because "
        f"{reason}: install docker-compose-v2 or docker-compose"
    )


def _installed() -> list[str]:
    if docker_command.output("compose", "version"):
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else []


@dataclass(frozen=True)
class Stack:
    """One running copy, told from others by its project name.

    Attributes:
        command: What calls compose.
        project: Name of the copy; only its containers are looked at.
        env_file: Its variables.
    """

    command: Sequence[str]
    project: str
    env_file: Path

    def compose(self, *arguments: str) -> None:
        """Run compose on this copy, its output on the terminal.

        Raises:
            OutsideError: It failed.
        """
        options = ["--project-directory", str(CHECKOUT), "--env-file", str(self.env_file)]
        options += ["--project-name", self.project, "--file", str(COMPOSE_FILE)]
        command = [*self.command, *options, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise OutsideError(
                f"`{' '.join([*self.command, *arguments])}` failed with {done.returncode}, "
                "see above"
            )

    def container(self, service: str) -> str:
        """Return the id of a service's container, running or not; empty if there is none."""
        return docker_command.output("ps", "-aq", *self._filter(), *_service_filter(service))

    def up(self) -> float:
        """Start what does not run and return how many seconds it took until all was healthy.

        Raises:
            OutsideError: Compose failed, or a service is not healthy in `HEALTHY_SECONDS`.
        """
        started = time.monotonic()
        self.compose("up", "-d", "--remove-orphans")
        while waiting := self.not_healthy():
            if time.monotonic() - started > HEALTHY_SECONDS:
                raise OutsideError(
                    f"not healthy after {HEALTHY_SECONDS:.0f} s: {', '.join(waiting)}; "
                    f"`docker logs {waiting[0]}` says more"
                )
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - started

    def not_healthy(self) -> list[str]:
        """Return the names of containers that run without being healthy, or that stopped."""
        names = "{{.Names}}\t{{.Status}}"
        lines = docker_command.output("ps", "-a", "--format", names, *self._filter()).splitlines()
        pairs = (line.split("\t") for line in lines)
        return [name for name, status in pairs if not is_well(status)]

    def down(self, *, volumes: bool) -> None:
        """Remove the containers and the network, and with `volumes` all that was stored."""
        # what is stored goes too, so no task has to end in order
        options = ["--volumes", "--timeout", "2"] if volumes else []
        self.compose("down", "--remove-orphans", *options)

    def save_logs(self, folder: Path) -> None:
        """Keep each container's log and state as files in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        names = docker_command.output("ps", "-a", "--format", "{{.Names}}", *self._filter())
        for name in names.split():
            with (folder / f"{name}.log").open("wb") as sink:
                subprocess.run(["docker", "logs", name], stdout=sink, stderr=sink, check=False)

    def _filter(self) -> list[str]:
        return ["--filter", f"label=com.docker.compose.project={self.project}"]


def one_shot(
    image: str, mounts: Mapping[str, str], *command: str, terminal: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a container of its own, as the Airflow processes run.

    Args:
        image: Airflow's image.
        mounts: Volume or folder to its place inside; `:ro` may follow. This package's own
            code is always there.
        command: What to run.
        terminal: Whether it draws on this terminal; else its output is captured.
    """
    places = {str(CHECKOUT / "plugins"): "/opt/airflow/plugins:ro", **mounts}
    volumes = [part for pair in places.items() for part in ("--volume", ":".join(pair))]
    options = ["--rm", "--init", "--network", "none", "--user", "50000:0", *volumes]
    if terminal and sys.stdout.isatty():
        options += ["--tty", "--interactive"]
    elif terminal:
        options += ["--env", f"COLUMNS={shutil.get_terminal_size((140, 24)).columns}"]
    full = ["docker", "run", *options, image, *command]
    return subprocess.run(full, capture_output=not terminal, check=False)


def _service_filter(service: str) -> list[str]:
    return ["--filter", f"label=com.docker.compose.service={service}"]


def is_well(status: str) -> bool:
    """Say whether a status of `docker ps` is what a service's should be.

    `init` has to end with 0; what has no health check is well when it runs.
    """
    return status.startswith("Exited (0)") or (
        status.startswith("Up") and "unhealthy" not in status and "starting" not in status
    )
