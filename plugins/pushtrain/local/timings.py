"""Measures where the time went, across the processes of one command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pushtrain.local.state_file import read_state, write_state


@dataclass(frozen=True)
class Timings:
    """Seconds by stage, in the order they ended, kept in a file."""

    path: Path

    def clear(self) -> None:
        """Forget the last command's."""
        write_state(self.path, {"started": time.time(), "stages": []})

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside, also if it fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.add(name, time.monotonic() - started)

    def add(self, name: str, seconds: float) -> None:
        """Note a stage that was measured elsewhere."""
        data = read_state(self.path)
        stages = [*data.get("stages", []), [name, round(seconds, 1)]]
        write_state(self.path, {**data, "stages": stages})

    @property
    def stages(self) -> list[tuple[str, float]]:
        """What was measured."""
        return [(str(name), float(s)) for name, s in read_state(self.path).get("stages", [])]

    @property
    def total(self) -> float:
        """Seconds since `clear`."""
        return time.time() - float(read_state(self.path).get("started", time.time()))
