"""Removes what the set-up made: trainings, folders, images; never anything of others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pushtrain.contract import LABEL_EXPERIMENT
from pushtrain.errors import OutsideError
from pushtrain.local import docker_command
from pushtrain.local.base_image import LABEL
from pushtrain.local.paths import Home

NAMES = "pushtrain-*"
KEPT_OF_AIRFLOW = "simple_auth_manager_passwords.json.generated"


def remove_trainings(home: Home) -> int:
    """Remove the training containers whose folders lie in this home's store; return how many."""
    names = [c["Id"] for c in _training_containers() if _is_of(c, home.store)]
    if names:
        docker_command.output("rm", "--force", "--volumes", *names)
    return len(names)


def _training_containers() -> Iterator[dict[str, Any]]:
    ids = docker_command.output("ps", "-aq", "--filter", f"label={LABEL_EXPERIMENT}").split()
    for container in ids:
        # one by one: a container that goes meanwhile must not hide the others
        if text := docker_command.output("container", "inspect", container):
            yield from json.loads(text)


def _is_of(container: dict[str, Any], store: Path) -> bool:
    sources = [Path(mount.get("Source", "")) for mount in container.get("Mounts", [])]
    return any(source.is_relative_to(store) for source in sources)


def wipe_demo(home: Home) -> None:
    """Remove the last demo's trainings, store, model repo, mails and Airflow database.

    The password of Airflow's user stays, and so do images, logs and the virtual environment.
    """
    remove_trainings(home)
    for folder in (home.store, home.repo, home.mail):
        _remove(folder)
    if home.airflow.is_dir():
        for path in home.airflow.iterdir():
            if path.name != KEPT_OF_AIRFLOW:
                _remove(path)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except PermissionError as err:
        who = f"uid {os.geteuid()}"
        raise OutsideError(f"{who} may not remove {path}: {err}; run this as its owner") from err


def remove_images() -> list[str]:
    """Remove all images that bear our label or a name of ours; return what was removed.

    Images that a container still uses stay. Those of other checkouts on this engine go too:
    they bear the same names, and are built again in minutes.
    """
    listed = ("images", "--format", "{{.ID}}", "--filter")
    found = [docker_command.output(*listed, f"label={LABEL}").split()]
    found.append(docker_command.output(*listed, f"reference={NAMES}").split())
    unique = list(dict.fromkeys(image for images in found for image in images))
    return [image for image in unique if docker_command.output("rmi", "--force", image)]
