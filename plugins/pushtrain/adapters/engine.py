"""The container engine: makes, finds, follows and judges training containers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound
from docker.types import DeviceRequest, Mount

from pushtrain.contract import LABEL_ATTEMPT
from pushtrain.errors import ConfigurationError, EngineUnreachableError, OutsideError

_LOOK_SECONDS = 0.2  # a look costs less than a millisecond


@dataclass(frozen=True)
class Bind:
    """A folder of the engine's host inside a container."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """A locked-down training container.

    Attributes:
        user: `uid:gid`, not root.
        memory_mib: Hard limit, swap included.
        cpus: Hard limit; fractions allowed.
        tmp_mib: Size of `/tmp`, the only place beside the binds that can be written.
    """

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    user: str
    binds: tuple[Bind, ...]
    memory_mib: int
    cpus: float
    pids_limit: int
    tmp_mib: int
    gpus: int = 0
    network: bool = False
    working_dir: str = "/work"


@contextmanager
def clear_errors(url: str) -> Iterator[None]:
    """Turn the SDK's errors into ours: what is wrong and what to do.

    Raises:
        ConfigurationError: The engine says that what was asked for is wrong.
        EngineUnreachableError: It does not answer, or lets nobody in.
        OutsideError: It refused for another reason; the same may work later.
    """
    try:
        yield
    except (requests.ConnectionError, requests.Timeout) as err:
        raise EngineUnreachableError(
            f"the container engine at {url} does not answer: start it (`make engine`), or set "
            f"[pushtrain] docker_url ({type(err).__name__})"
        ) from err
    except APIError as err:
        if err.status_code == 400:  # more CPUs than the host has, two folders of one name, ...
            raise ConfigurationError(
                f"the container engine can not do that: {err.explanation}"
            ) from err
        raise OutsideError(f"the container engine refused: {err.explanation or err}") from err
    except DockerException as err:
        # also what the first call of a client raises where nothing listens
        raise EngineUnreachableError(
            f"the container engine at {url} can not be used: start it (`make engine`), or set "
            f"[pushtrain] docker_url ({err})"
        ) from err


def require_engine(url: str) -> None:
    """Check that an engine answers.

    Raises:
        EngineUnreachableError: It does not; the message says what to do.
    """
    with clear_errors(url):
        APIClient(base_url=url, version="auto").close()


def is_there(url: str) -> bool:
    """Tell whether an engine answers who comes anew; one that shuts down may answer old clients."""
    try:
        require_engine(url)
    except OutsideError:
        return False
    return True


def require_image(api: APIClient, image: str) -> None:
    """Check that an image is there; an engine would try to pull it for a minute.

    Raises:
        ConfigurationError: It is not.
    """
    try:
        api.inspect_image(image)
    except NotFound as err:
        raise ConfigurationError(
            f"image {image!r} is not in the engine: `make images` builds it"
        ) from err


def find(api: APIClient, name: str) -> dict[str, Any] | None:
    """Return the engine's record of a container, None if there is none."""
    try:
        record: dict[str, Any] = api.inspect_container(name)
    except NotFound:
        return None
    return record


def create(api: APIClient, spec: ContainerSpec) -> str:
    """Create (not start) a training container and return its id."""
    memory = spec.memory_mib * 2**20
    host = api.create_host_config(
        mounts=[Mount(b.target, b.source, type="bind", read_only=b.read_only) for b in spec.binds],
        network_mode="bridge" if spec.network else "none",
        read_only=True,
        tmpfs={"/tmp": f"rw,noexec,nosuid,nodev,size={spec.tmp_mib}m,mode=1777"},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        init=True,  # PID 1 would ignore signals, and a crash would look like exit 0
        ipc_mode="private",
        mem_limit=memory,
        memswap_limit=memory,
        nano_cpus=int(spec.cpus * 1e9),
        pids_limit=spec.pids_limit,
        device_requests=[DeviceRequest(count=spec.gpus, capabilities=[["gpu"]])]
        if spec.gpus
        else None,
    )
    made = api.create_container(
        image=spec.image,
        name=spec.name,
        command=list(spec.command),
        environment=dict(spec.environment),
        labels=dict(spec.labels),
        user=spec.user,
        working_dir=spec.working_dir,
        host_config=host,
    )
    return str(made["Id"])


def volume_path(api: APIClient, volume: str) -> Path:
    """Return the folder of the engine's host that holds a volume.

    Raises:
        ConfigurationError: There is no such volume.
    """
    try:
        return Path(api.inspect_volume(volume)["Mountpoint"])
    except NotFound as err:
        raise ConfigurationError(
            f"[pushtrain] store_volume = {volume!r}: the engine has no such volume"
        ) from err


def has_ended(api: APIClient, container: str, seconds: float) -> bool:
    """Wait until a container has ended; False if it still runs after these seconds."""
    deadline = time.monotonic() + seconds
    while True:
        record = find(api, container)
        if record is None or not record["State"]["Running"]:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)


def remove_others(
    api: APIClient, labels: Mapping[str, str], keep: str, up_to: int | None = None
) -> list[str]:
    """Kill and remove all containers with these labels but one, and return their names.

    After it no older attempt can be alive on this engine.

    Args:
        api: The engine.
        labels: As `round_labels` gives them.
        keep: Name of the one that stays.
        up_to: Those of later attempts stay, too: whoever is late must not end what came after.
    """
    wanted = {"label": [f"{k}={v}" for k, v in labels.items()]}
    names = []
    for record in api.containers(all=True, filters=wanted):
        name = record["Names"][0].lstrip("/")
        number = (record["Labels"] or {}).get(LABEL_ATTEMPT, "0")
        is_later = up_to is not None and number.isdecimal() and int(number) > up_to
        if name != keep and not is_later:
            remove(api, record["Id"])
            names.append(name)
    return names


def remove(api: APIClient, container: str) -> None:
    """Remove a container, running or not; one that is gone is fine."""
    try:
        api.remove_container(container, force=True, v=True)
    except NotFound:
        return


def kill(api: APIClient, container: str) -> None:
    """Kill a container; one that has ended or is gone is fine."""
    send_signal(api, container, "SIGKILL")


def send_signal(api: APIClient, container: str, name: str) -> bool:
    """Send a signal to a container's program; False if it has ended or is gone."""
    try:
        api.kill(container, name)
    except NotFound:
        return False
    except APIError as err:
        if err.status_code == 409:  # it is not running
            return False
        # podman answers so where the engine of Docker says 409
        record = find(api, container)
        if record is not None and record["State"]["Running"]:
            raise
        return False
    return True
