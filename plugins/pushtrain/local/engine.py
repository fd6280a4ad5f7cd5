"""Says in one line how the container engine is, and makes sure that one answers."""

from __future__ import annotations

import argparse
import errno
import http.client
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pushtrain.local.paths import current_home

DEFAULT_SOCKET = "/var/run/docker.sock"
ANSWER_SECONDS = 5.0
REMOTE_SECONDS = 15.0
# dockerd lies where a plain user's PATH may not lead
SBIN = ":/usr/sbin:/sbin:/usr/local/sbin"


class EngineState(StrEnum):
    """How the engine is; only `UP` can run a training."""

    UP = "up"
    DENIED = "denied"
    HUNG = "hung"
    DOWN = "down"
    ABSENT = "absent"
    CLI_ONLY = "cli-only"
    NO_CLI = "no-cli"
    REMOTE = "remote"


EXIT_CODES = {
    EngineState.UP: 0,
    EngineState.REMOTE: 2,
    EngineState.HUNG: 3,
    EngineState.DOWN: 4,
    EngineState.ABSENT: 5,
    EngineState.CLI_ONLY: 6,
    EngineState.NO_CLI: 7,
    EngineState.DENIED: 77,
}


@dataclass(frozen=True)
class EngineReport:
    """The state of the engine behind `url`, with what to do about it."""

    state: EngineState
    url: str
    text: str

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"engine: {self.state}: {self.text}"


def engine_url() -> str:
    """Return the address that the docker command uses too.

    `DOCKER_HOST` wins, then the current docker context (rootless engines set one), then the
    usual socket.
    """
    given = os.environ.get("DOCKER_HOST", "")
    if given:
        return given
    if shutil.which("docker"):
        shown = subprocess.run(
            ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if shown.returncode == 0 and shown.stdout.strip():
            return shown.stdout.strip()
    return f"unix://{DEFAULT_SOCKET}"


def check_engine(url: str | None = None) -> EngineReport:
    """Ask the engine at `url` (default: `engine_url()`) for its version."""
    url = url or engine_url()
    if not url.startswith("unix://"):
        return _check_remote(url)
    path = url.removeprefix("unix://")
    try:
        version = _ask_version(path)
    except PermissionError:
        return EngineReport(EngineState.DENIED, url, _denied_text(path))
    except TimeoutError:
        text = f"{path} accepts but does not answer in {ANSWER_SECONDS:.0f} s: look into its log"
        return EngineReport(EngineState.HUNG, url, f"{text} (journalctl -u docker), restart it")
    except OSError as err:
        return _no_answer(url, path, err)
    if not shutil.which("docker"):
        text = f"engine {version} answers on {path}, but the docker command is missing"
        return EngineReport(EngineState.NO_CLI, url, f"{text}: install docker-cli or docker.io")
    return EngineReport(EngineState.UP, url, f"version {version} answers on {path}")


def _ask_version(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(ANSWER_SECONDS)
        link.connect(path)
        connection = http.client.HTTPConnection("engine")
        connection.sock = link
        connection.request("GET", "/version")
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise OSError(errno.EPROTO, f"it answered HTTP {answer.status}")
        return str(json.loads(answer.read()).get("Version", "?"))


def _check_remote(url: str) -> EngineReport:
    if not shutil.which("docker"):
        text = f"DOCKER_HOST is {url}, but there is no docker command: install docker-cli"
        return EngineReport(EngineState.REMOTE, url, text)
    try:
        asked = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            env={**os.environ, "DOCKER_HOST": url},
            capture_output=True,
            text=True,
            timeout=REMOTE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"no answer in {REMOTE_SECONDS:.0f} s"
    else:
        if asked.returncode == 0:
            text = f"version {asked.stdout.strip()} answers on {url}"
            return EngineReport(EngineState.UP, url, text)
        why = (asked.stderr.strip().splitlines() or ["no answer"])[-1]
    text = f"the engine at {url} does not answer ({why}): start it there, or unset DOCKER_HOST"
    return EngineReport(EngineState.REMOTE, url, text)


def _denied_text(path: str) -> str:
    user = pwd.getpwuid(os.getuid()).pw_name if _has_name() else "USER"
    todo = f"run as root, or say `usermod -aG docker {user}` as root and log in again"
    return f"user {user} may not use {path}: {todo}"


def _has_name() -> bool:
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def _no_answer(url: str, path: str, err: OSError) -> EngineReport:
    why = {
        errno.ENOENT: f"no socket at {path}",
        errno.ECONNREFUSED: f"{path} is left over, nobody listens",
    }.get(err.errno or 0, f"{path}: {err}")
    if daemon := shutil.which("dockerd", path=os.environ.get("PATH", "") + SBIN):
        text = f"{why}; {daemon} is installed but does not run: start it as root (`make engine`)"
        return EngineReport(EngineState.DOWN, url, text)
    if shutil.which("docker"):
        text = f"{why}; there is a docker command but no engine: `make engine` as root on Debian"
        return EngineReport(EngineState.CLI_ONLY, url, f"{text} or Ubuntu, or set DOCKER_HOST")
    text = f"{why}; no engine is installed: `make engine` as root on Debian or Ubuntu"
    return EngineReport(EngineState.ABSENT, url, f"{text}, else install Docker by hand")


def ensure_engine(log_folder: Path) -> EngineReport:
    """Return the report of an engine that answers, or of one that could not be brought up."""
    # imported late: the installer imports this module for its states
    from pushtrain.local.engine_install import bring_up

    report = check_engine()
    return report if report.state is EngineState.UP else bring_up(report, log_folder)


def main() -> int:
    """Print the state of the engine; with `--ensure`, install and start one where that is due."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ensure", action="store_true", help="install and start one if needed")
    if parser.parse_args().ensure:
        home = current_home()
        home.make()
        report = ensure_engine(home.logs)
    else:
        report = check_engine()
    print(report.line, file=sys.stdout if report.state is EngineState.UP else sys.stderr)
    return EXIT_CODES[report.state]


if __name__ == "__main__":
    sys.exit(main())
