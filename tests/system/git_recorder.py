"""Puts a `git` before the real one that writes down what it is called with."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

_SHIM = """#!/bin/sh
printf '%s\\n' "$*" | tr '\\n' ' ' >> {log}
printf '\\n' >> {log}
exec {git} "$@"
"""


@dataclass(frozen=True)
class GitRecorder:
    """All that git was told by whoever has `path` as PATH."""

    folder: Path

    @property
    def path(self) -> str:
        """A PATH on which the recorder comes first."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    @property
    def calls(self) -> str:
        """One line a call."""
        return (self.folder / "calls.log").read_text(encoding="utf-8")

    def make(self) -> None:
        """Write the shim."""
        git = shutil.which("git")
        assert git
        self.folder.mkdir(parents=True)
        log = self.folder / "calls.log"
        log.touch()
        shim = self.folder / "git"
        shim.write_text(_SHIM.format(log=log, git=git), encoding="utf-8")
        shim.chmod(0o755)
