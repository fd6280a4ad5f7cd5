"""How long a part of Airflow may be unwell before it counts as stuck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Beside the 15-30 s after which Airflow itself calls a part unhealthy.
PATIENCE_SECONDS = 90.0
# Until it is well for the first time: an api-server took 90 s to start at load 12 on two cores.
START_SECONDS = 300.0
JAMMED = "tasks are queued, workers are free"

Process = tuple[str, int]  # a part and its number: a new process has a new one


@dataclass
class Patience:
    """Remembers since when a part is not well, and whether it ever was."""

    since: dict[Process, float] = field(default_factory=dict)
    seen_well: set[Process] = field(default_factory=set)

    def overdue(self, parts: Mapping[Process, str], now: float) -> list[Process]:
        """Return the parts that were not well for too long.

        Args:
            parts: What is wrong with each, empty if it is well.
            now: Seconds of a clock that only goes forward.
        """
        self.seen_well = {p for p in parts if not parts[p] or p in self.seen_well}
        self.since = {p: self.since.get(p, now) for p in parts if parts[p]}
        return [p for p in self.since if now - self.since[p] >= self._allowed(p, parts[p])]

    def _allowed(self, part: Process, wrong: str) -> float:
        if wrong == JAMMED:
            return 0.0
        return PATIENCE_SECONDS if part in self.seen_well else START_SECONDS
