"""Judges how a container ended, by what the engine knows of it."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker import APIClient
from docker.errors import APIError

from pushtrain.adapters.container_lines import Line
from pushtrain.adapters.engine import find
from pushtrain.contract import Cause, ExitCode
from pushtrain.errors import OutsideError

HOST_DIED = 255  # what an engine says of a container that it finds dead when it starts

_KILLED, _TERMINATED = 128 + signal.SIGKILL, 128 + signal.SIGTERM

_CAUSES = {
    ExitCode.FINISHED: Cause.FINISHED,
    ExitCode.SCRIPT_ERROR: Cause.SCRIPT_ERROR,
    ExitCode.NO_METRIC: Cause.NO_METRIC,
    ExitCode.USAGE: Cause.SCRIPT_ERROR,
    ExitCode.SUPERSEDED: Cause.SUPERSEDED,
    ExitCode.HOPELESS: Cause.HOPELESS,
    HOST_DIED: Cause.HOST_LOST,  # engine, shims and containers died together: a power cut
}
_NO_GPU_RUNTIME = "could not select device driver"  # what engines say who were asked for one
_BEING_REMOVED = frozenset({"removing", "dead"})
# The trainer ended by itself and says why, whatever happened to the processes that it started.
_DECIDED = frozenset({ExitCode.FINISHED, ExitCode.SUPERSEDED, ExitCode.HOPELESS})


@dataclass(frozen=True)
class ContainerEnd:
    """How a container ended.

    Attributes:
        exit_code: None where the container is gone.
        tells_memory: Whether the engine would have said that the memory limit was hit.
    """

    exit_code: int | None
    cause: Cause
    message: str
    tells_memory: bool = True


def start(api: APIClient, container: str) -> ContainerEnd | None:
    """Start a container; return how it ended if the engine refused to.

    Raises:
        OutsideError: It runs already.
    """
    try:
        api.start(container)
    except APIError as err:
        end, words = end_of(api, container), str(err.explanation or err)
        if words in end.message:
            return end
        return dataclasses.replace(end, message=f"{end.message}: {words}")
    return None


def end_of(api: APIClient, container: str) -> ContainerEnd:
    """Judge a container that is not running; one that is gone was removed by somebody.

    Raises:
        OutsideError: It still runs, so nobody knows its end.
    """
    record = find(api, container)
    if record is None or record["State"]["Status"] in _BEING_REMOVED:
        return ContainerEnd(None, Cause.LOST, "the container was removed")
    state = record["State"]
    code = int(state["ExitCode"])
    if state["Running"]:  # its exit code would read as 0
        raise OutsideError(f"container {container} still runs")
    if state["Status"] == "created":
        return _never_started(record)
    if state["OOMKilled"] and code not in _DECIDED:
        limit = record["HostConfig"]["Memory"] // 2**20
        message = f"the memory limit of {limit} MiB was hit"
        return ContainerEnd(code, Cause.OUT_OF_MEMORY, message)
    cause = _CAUSES.get(code, Cause.KILLED)
    message = state.get("Error") or _said(code)
    return ContainerEnd(code, cause, message, code != _KILLED or _tells_memory(api))


def seen(end: ContainerEnd, line: Line) -> ContainerEnd:
    """Return an end as whoever followed the container has to judge it.

    A container that was ended while its engine did not answer went down with the engine; one that
    was seen to leave with the code of a lost host left so by itself.
    """
    code = end.exit_code
    if line is Line.HELD and end.cause is Cause.HOST_LOST:
        return dataclasses.replace(end, cause=Cause.KILLED)
    if line is Line.BROKEN and end.cause is Cause.KILLED and code in (_KILLED, _TERMINATED):
        message = f"the container engine went away and ended it, {_said(code)}"
        return dataclasses.replace(end, cause=Cause.HOST_LOST, message=message)
    return end


def _never_started(record: Mapping[str, Any]) -> ContainerEnd:
    code, error = int(record["State"]["ExitCode"]), record["State"].get("Error") or ""
    if _NO_GPU_RUNTIME in error:
        gpus = sum(r["Count"] for r in record["HostConfig"].get("DeviceRequests") or ())
        message = (
            f"gpus = {gpus}, but the container engine has no GPU runtime: install the NVIDIA "
            f"Container Toolkit on its host, or set gpus = 0 ({error})"
        )
        return ContainerEnd(ExitCode.USAGE, Cause.SCRIPT_ERROR, message)
    message = "its container was made but never started"
    return ContainerEnd(code, Cause.LOST, f"{message}: {error}" if error else message)


def _said(code: int) -> str:
    """Return an exit code for people; that of a program that a signal ended names the signal."""
    if code == ExitCode.FINISHED:
        return ""
    try:
        return f"by {signal.Signals(code - 128).name}, exit code {code}"
    except ValueError:
        return f"exit code {code}"


def _tells_memory(api: APIClient) -> bool:
    """Tell whether the engine knows that a memory limit was hit; podman 4 does not."""
    parts: list[dict[str, Any]] = api.version().get("Components") or []
    return not any("podman" in part.get("Name", "").lower() for part in parts)
