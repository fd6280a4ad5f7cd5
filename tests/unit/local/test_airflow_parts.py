"""Which processes belong to a part, shown with small programs in the parts' place."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pushtrain.local import processes
from pushtrain.local.airflow_part import airflow_logs, end_leftovers, log_of
from pushtrain.local.airflow_parts import (
    PARTS,
    leftovers,
    missing_parts,
    pid_of,
    pids_of,
    process_of,
    started_at,
)
from pushtrain.local.airflow_start import CONFIGURATION, needs_migration
from pushtrain.local.paths import CHECKOUT, Home
from pushtrain.local.state_file import write_state

# stands for supervisord: starts one part, in a process group of its own
SUPERVISOR = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1]], process_group=0)
time.sleep(60)
"""
# stands for the scheduler: two workers, one of them with a task, which leads a group of its own
PART = """
import os, subprocess, sys, time
from pathlib import Path
from pushtrain.local.airflow_parts import remember_part
from pushtrain.local.paths import current_home
home = current_home()
remember_part(home, "scheduler")
task = "import time; time.sleep(60)"
watch = "import subprocess, sys; "
watch += "subprocess.run([sys.executable, '-c', sys.argv[1]], process_group=0)"
busy = subprocess.Popen([sys.executable, "-c", watch, task])
idle = subprocess.Popen([sys.executable, "-c", task])
(home.root / "pids").write_text(f"{busy.pid} {idle.pid}")
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    process_of(made).stop(grace_seconds=0)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited 60 s in vain"
        time.sleep(0.02)


def start(home: Home) -> tuple[int, int]:
    """Start the stand-ins and return the pids of the busy worker and of the idle one."""
    environment = {**os.environ, "PUSHTRAIN_HOME": str(home.root)}
    environment["PYTHONPATH"] = str(CHECKOUT / "plugins")
    command = [sys.executable, "-c", SUPERVISOR, PART]
    process_of(home).start(command, environment, home.logs / "airflow.log")
    wait_for(lambda: len(process_of(home).members()) == 5)
    wait_for((home.root / "pids").exists)
    # a process that was made a moment ago is still in the group of the one that made it
    wait_for(lambda: len(pids_of(home, "scheduler")) == 3)
    busy, idle = map(int, (home.root / "pids").read_text().split())
    return busy, idle


def test_a_part_is_its_main_process_and_those_of_its_group(home):
    busy, idle = start(home)
    main, *others = pids_of(home, "scheduler")
    assert main == pid_of(home, "scheduler")
    assert sorted(others) == sorted([busy, idle])
    assert time.time() - 60 < started_at(home, "scheduler") <= time.time()


def test_parts_that_do_not_run_are_missing(home):
    assert missing_parts(home) == [*PARTS]
    start(home)
    assert missing_parts(home) == [part for part in PARTS if part != "scheduler"]
    assert pids_of(home, "triggerer") == []


def test_another_process_with_the_number_of_a_dead_part_is_not_it(home):
    write_state(home.state / "parts" / "scheduler.json", {"pid": os.getpid(), "started": 1})
    assert pid_of(home, "scheduler") is None


def test_nothing_of_a_living_part_is_left_over(home):
    start(home)
    assert leftovers(process_of(home).members()) == []


def test_a_killed_part_leaves_all_but_the_worker_that_watches_a_task(home):
    busy, idle = start(home)
    main = pid_of(home, "scheduler")
    os.kill(main, signal.SIGKILL)
    wait_for(lambda: pid_of(home, "scheduler") is None)
    assert leftovers(process_of(home).members()) == [idle]
    end_leftovers(home)
    wait_for(lambda: processes.facts(idle) is None)
    assert processes.facts(busy)


def test_a_database_is_made_once_for_each_version_of_airflow(home):
    assert needs_migration(home, "3.3.2")
    home.airflow.mkdir()
    (home.airflow / "airflow.db").touch()
    (home.airflow / "airflow.cfg").touch()
    assert needs_migration(home, "3.3.2")
    write_state(home.airflow / "pushtrain-database.json", {"airflow": "3.3.2"})
    assert not needs_migration(home, "3.3.2")
    assert needs_migration(home, "3.4.0")
    (home.airflow / "airflow.db").unlink()
    assert needs_migration(home, "3.3.2")


def test_parts_come_back_and_outlive_the_supervisor(home, tmp_path):
    """With the real supervisor and configuration; a program called `airflow` is the parts."""
    tools = tmp_path / "bin"
    tools.mkdir()
    fake = tools / "airflow"
    fake.write_text('#!/bin/sh\necho "$1 is here"\nexec sleep 60\n')
    fake.chmod(0o755)
    home.airflow.mkdir()
    environment = {
        **os.environ,
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PUSHTRAIN_HOME": str(home.root),
        "AIRFLOW_HOME": str(home.airflow),
    }
    log = home.logs / "airflow.log"
    process_of(home).start(["supervisord", "-c", str(CONFIGURATION)], environment, log)
    wait_for(lambda: all(has_started(home, part, 1) for part in PARTS))
    before = {part: pid_of(home, part) for part in PARTS}
    for part in PARTS:
        os.kill(before[part], signal.SIGKILL)
    wait_for(lambda: all(has_started(home, part, 2) for part in PARTS))
    assert all(pid_of(home, part) not in (None, before[part]) for part in PARTS)
    assert "exited: scheduler (terminated by SIGKILL" in log.read_text()
    assert set(airflow_logs(home)) == set(home.logs.iterdir())
    os.kill(process_of(home).state["pid"], signal.SIGKILL)
    wait_for(lambda: not process_of(home).is_running())
    assert not missing_parts(home), "they go on, and `make up` finds them"
    process_of(home).stop(grace_seconds=0)
    assert missing_parts(home) == [*PARTS]
    assert process_of(home).members() == []


def has_started(home: Home, part: str, times: int) -> bool:
    log = log_of(home, part)
    return log.exists() and log.read_text().count(f"{part} is here") == times
