"""Containers of the tests, which are removed by their label."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable

from docker import APIClient

from pushtrain.adapters.container_ends import ContainerEnd, end_of
from pushtrain.adapters.container_lines import follow
from pushtrain.adapters.engine import ContainerSpec

RUN = uuid.uuid4().hex[:8]
Start = Callable[..., str]


def spec(image: str, *command: str, **fields: object) -> ContainerSpec:
    plain = ContainerSpec(
        name=f"pushtrain-test-{uuid.uuid4().hex[:8]}",
        image=image,
        command=command,
        environment={"ONE": "1"},
        labels={"pushtrain.test": RUN},
        user="50000:0",
        binds=(),
        memory_mib=128,
        cpus=0.5,
        pids_limit=32,
        tmp_mib=16,
        working_dir="/",
    )
    return dataclasses.replace(plain, **fields)


def lines_of(api: APIClient, container: str) -> list[str]:
    """Follow a container to its end and return what it printed."""
    lines: list[str] = []
    follow(api, container, lines.append)
    return lines


def ended(api: APIClient, container: str) -> ContainerEnd:
    lines_of(api, container)
    return end_of(api, container)


def python(text: str) -> tuple[str, ...]:
    return ("python3", "-c", text)
