"""Pulls an image, without a long wait where no registry answers."""

from __future__ import annotations

import http.client
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from pushtrain.local import docker_command

PUBLIC_REGISTRY = "registry-1.docker.io"
PROBE_SECONDS = 10.0
PULL_SECONDS = 300.0


def registry_host(image: str) -> str:
    """Return the host that serves an image by the rules of the docker command."""
    first, slash, _ = image.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost")
    return first if is_host else PUBLIC_REGISTRY


def answers(host: str) -> bool:
    """Say whether a registry answers at `host`: 200 or 401 at `/v2/` within `PROBE_SECONDS`."""
    scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    try:
        with urllib.request.urlopen(f"{scheme}://{host}/v2/", timeout=PROBE_SECONDS):
            return True
    except urllib.error.HTTPError as err:
        # a proxy that forbids the host answers too, with 403 or 5xx
        return err.code == http.client.UNAUTHORIZED
    except (OSError, http.client.HTTPException):
        return False


def pull(image: str, log_folder: Path) -> bool:
    """Pull `image`; False if its registry does not answer or does not give it."""
    # an engine with mirrors reaches images that this process can not
    has_mirrors = docker_command.output("info", "--format", "{{len .RegistryConfig.Mirrors}}")
    if has_mirrors in ("", "0") and not answers(registry_host(image)):
        return False
    log_folder.mkdir(parents=True, exist_ok=True)
    with (log_folder / "pull.log").open("ab") as sink:
        command = ["docker", "pull", image]
        try:
            done = subprocess.run(
                command, stdout=sink, stderr=sink, timeout=PULL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0
