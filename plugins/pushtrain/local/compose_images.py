"""The images of docker-compose.airflow.yml: Airflow's own, and PostgreSQL and Redis.

Where no registry answers, PostgreSQL and Redis come from Debian's packages instead.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pushtrain.local import docker_command, registry
from pushtrain.local.paths import CHECKOUT, Home

AIRFLOW_FILES = ("Dockerfile.airflow", "requirements.txt", "requirements-compose.txt")
STANDINS = CHECKOUT / "tests" / "system" / "standins"
PUBLIC = {"POSTGRES_IMAGE": "postgres:17", "REDIS_IMAGE": "redis:7"}


def ensure_airflow_image(base: str, home: Home) -> str:
    """Return the name of the image of Airflow's processes, building it where it is missing."""
    files = [CHECKOUT / name for name in AIRFLOW_FILES]
    return _ensure("pushtrain-airflow", files, base, home)


def ensure_service_images(chosen: Mapping[str, str], base: str, home: Home) -> dict[str, str]:
    """Return the images of PostgreSQL and Redis by their variables.

    Args:
        chosen: The variables of the env file; an image that stands there and is no stand-in
            of ours is left to compose, which pulls it and says why it can not.
        base: The image that stand-ins are built on.
        home: Where logs go.
    """
    found = {}
    for variable, public in PUBLIC.items():
        name = chosen.get(variable, "")
        if name and not name.startswith("pushtrain-"):
            found[variable] = name
        elif docker_command.image_id(public) or registry.pull(public, home.logs):
            found[variable] = public
        else:
            found[variable] = _ensure_standin(public.partition(":")[0], base, home)
    return found


def _ensure_standin(service: str, base: str, home: Home) -> str:
    files = sorted((STANDINS / service).iterdir())
    return _ensure(f"pushtrain-{service}-standin", files, base, home)


def _ensure(repository: str, files: Sequence[Path], base: str, home: Home) -> str:
    """Build `files`, the Dockerfile first, unless an image of the same content is there."""
    name = f"{repository}:{content_digest(files, docker_command.image_id(base))}"
    if docker_command.image_id(name):
        return name
    print(f"building {name}", flush=True)
    # a folder of its own: the checkout as context holds gigabytes
    with tempfile.TemporaryDirectory(prefix="pushtrain-build-") as context:
        for path in files:
            shutil.copy(path, context)
        command = ["docker", "build", "--tag", name, "--build-arg", f"BASE={base}"]
        docker_command.run_logged(
            [*command, "--file", str(Path(context) / files[0].name), context],
            home.logs / f"{repository}.log",
            docker_command.build_environment(),
        )
    return name


def content_digest(files: Sequence[Path], base_id: str) -> str:
    """Return what changes when a file, its name or the base image does."""
    digest = hashlib.sha256(base_id.encode())
    for path in files:
        digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
