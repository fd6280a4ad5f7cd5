"""Tells how much memory the training held at most, for the figures of one that ran out of it.

Neither of the kernel's own peaks will do alone. That of the container counts the cache of files
that were read, which would look like a lack of memory wherever much data is read; that of the
process counts the shared pages of libraries, which can be more than the container may hold.
"""

from __future__ import annotations

import resource
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
# Of control groups 1 and 2: the peak, the details, and what counts in them as held.
VERSIONS = (
    ("memory/memory.max_usage_in_bytes", "memory/memory.stat", ("total_rss", "total_shmem")),
    ("memory.peak", "memory.stat", ("anon", "shmem")),
)


class HeldMemory:
    """Keeps the largest amount seen; the processes that the script started are counted, too.

    Args:
        cgroup: Where the container's control group is mounted.
    """

    def __init__(self, cgroup: Path = CGROUP) -> None:
        self._most = 0
        self._cgroup = cgroup
        there = [v for v in VERSIONS if (cgroup / v[1]).is_file()]
        self._names: tuple[str, ...] = ()
        self._peak = self._details = ""
        if there:
            self._peak, self._details, self._names = there[0]

    def mib(self) -> int:
        """Return the most memory (MiB) that was held so far."""
        # in KiB on Linux
        process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        peak, held = self._peak_bytes(), self._held_bytes()
        self._most = max(self._most, held, min(process, peak or process))
        return self._most // 2**20

    def _peak_bytes(self) -> int:
        if not self._peak:
            return 0
        try:
            return int((self._cgroup / self._peak).read_text())
        except (OSError, ValueError):
            return 0

    def _held_bytes(self) -> int:
        if not self._details:
            return 0
        try:
            lines = (self._cgroup / self._details).read_text().splitlines()
            amounts = dict(line.split() for line in lines)
            return sum(int(amounts.get(name, 0)) for name in self._names)
        except (OSError, ValueError):
            return 0
