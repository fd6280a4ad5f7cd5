from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from tests.trainer.lab import Case

from pushtrain_trainer.held_memory import HeldMemory

PROCESS = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
SMALL, LARGE = 7, 2**20


def cgroup(folder: Path, version: int, peak: int, rss: int, shared: int) -> Path:
    """Make the files of a control group; figures in MiB."""
    names = ("total_rss", "total_shmem") if version == 1 else ("anon", "shmem")
    at = folder / "memory" if version == 1 else folder
    at.mkdir(exist_ok=True)
    details = f"cache {2**40}\n{names[0]} {rss * 2**20}\n{names[1]} {shared * 2**20}\n"
    (at / "memory.stat").write_text(details)
    file = "memory.max_usage_in_bytes" if version == 1 else "memory.peak"
    (at / file).write_text(f"{peak * 2**20}\n")
    return folder


@pytest.mark.parametrize("version", [1, 2])
def test_cache_of_files_does_not_count(tmp_path: Path, version: int) -> None:
    memory = HeldMemory(cgroup(tmp_path, version, LARGE, rss=1, shared=1))
    assert PROCESS <= memory.mib() < LARGE


@pytest.mark.parametrize("version", [1, 2])
def test_shared_pages_of_libraries_do_not_count(tmp_path: Path, version: int) -> None:
    assert HeldMemory(cgroup(tmp_path, version, SMALL, rss=1, shared=1)).mib() == SMALL


@pytest.mark.parametrize("version", [1, 2])
def test_other_processes_count_and_the_most_stays(tmp_path: Path, version: int) -> None:
    memory = HeldMemory(cgroup(tmp_path, version, LARGE, rss=LARGE // 2, shared=LARGE // 4))
    assert memory.mib() == LARGE * 3 // 4
    cgroup(tmp_path, version, LARGE, rss=1, shared=1)
    assert memory.mib() == LARGE * 3 // 4


@pytest.mark.parametrize("damaged", [False, True])
def test_process_alone_counts_where_nothing_can_be_read(tmp_path: Path, damaged: bool) -> None:
    if damaged:
        (tmp_path / "memory.stat").write_text("what is this")
    assert HeldMemory(tmp_path).mib() >= PROCESS


@pytest.mark.docker
def test_heartbeat_tells_the_memory_that_is_held(sklearn_case: Case) -> None:
    code = """
import json, os
import numpy as np
from sklearn.neighbors import KNeighborsClassifier
print("first", json.load(open(os.environ["PUSHTRAIN_OUTPUT"] + "/heartbeat.json"))["memory_mib"])
held = np.ones(2**26)  # 512 MiB
KNeighborsClassifier().fit([[0], [1]], [0, 1])
del held
"""
    training = sklearn_case.train(sklearn_case.add("s.py", code))
    first = int(training.lines("first")[0].split()[1])
    now = json.loads((sklearn_case.output / "heartbeat.json").read_text())["memory_mib"]
    assert 0 < first < 512 < now < 4096
