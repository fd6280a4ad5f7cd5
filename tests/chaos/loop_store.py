"""A small file system of its own for a store: it can be filled up and taken away."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

MEBIBYTES = 64
_BLOCK = 2**20
_REMOUNTS, _PAUSE_SECONDS = 50, 0.1


class LoopStore:
    """An ext4 image that is mounted where the store lies; it needs root.

    Args:
        image: File of the file system.
        place: Where it is mounted: the store's root.
    """

    def __init__(self, image: Path, place: Path) -> None:
        self._image = image
        self._device = ""
        self.place = place

    def make(self) -> None:
        """Make the file system and mount it."""
        with self._image.open("wb") as file:
            file.truncate(MEBIBYTES * 2**20)
        # nothing reserved: root must see a full disk as trainings do
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))
        self.place.mkdir(parents=True)
        self.mount()

    def mount(self) -> None:
        """Put it in its place, the same one for those who still have files open there."""
        if self._device and str(self._image) in _run("losetup", "-a"):
            # a second device of one image would be a second, blind writer to it
            _run("mount", self._device, str(self.place))
            return
        _run("mount", "-o", "loop", str(self._image), str(self.place))
        self._device = _run("findmnt", "-n", "-o", "SOURCE", str(self.place)).strip()

    def unmount(self) -> None:
        """Take it away from everybody who looks there; who holds files open keeps them."""
        _run("umount", "--lazy", str(self.place))

    def remount(self, option: str) -> None:
        """Make it read-only (`ro`) or writable (`rw`)."""
        for left in range(_REMOUNTS - 1, -1, -1):
            try:
                _run("mount", "-o", f"remount,{option}", str(self.place))
            except AssertionError:  # somebody writes at this moment
                if not left:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("ab", buffering=0) as file:
            size = _BLOCK
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 2
        os.sync()

    def free(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.place / "filler"


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout
