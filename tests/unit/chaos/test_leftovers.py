from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos.leftovers import MARK, end_processes, marked_processes, mounts_below


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that a run of chaos in `tmp_path` started."""
    environment = {**os.environ, MARK: str(tmp_path)}
    with subprocess.Popen(["sleep", "60"], env=environment) as process:
        yield process
        process.kill()


def test_what_a_run_started_is_found_by_its_mark(
    started: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert marked_processes(tmp_path) == [started.pid]
    assert marked_processes(tmp_path / "another") == []


def test_what_a_run_left_is_ended(started: subprocess.Popen[bytes], tmp_path: Path) -> None:
    end_processes(tmp_path)
    assert started.wait(5) == -9


def test_what_another_run_started_is_left_alone(
    started: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    end_processes(tmp_path / "another")
    assert started.poll() is None


def test_only_mounts_in_the_folder_are_named() -> None:
    assert "/proc" in mounts_below(Path("/"))
    assert mounts_below(Path("/no/such/folder")) == []
