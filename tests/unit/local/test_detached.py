from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pushtrain.local import processes
from pushtrain.local.detached import Detached
from pushtrain.local.state_file import read_state, write_state

LEADER = """
import signal, subprocess, sys, time
subprocess.Popen(["sleep", "60"])
subprocess.Popen(["sleep", "61"], start_new_session=True)
print("ready", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Detached]:
    made = Detached("sample", tmp_path / "sample.json")
    yield made
    made.stop(grace_seconds=0)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited 10 s in vain"
        time.sleep(0.02)


def start(program: Detached, code: str, tmp_path: Path, **extra: object) -> None:
    log = tmp_path / "log"
    program.start([sys.executable, "-c", code], os.environ, log, **extra)
    wait_for(lambda: "ready" in log.read_text())


def test_what_was_never_started_does_not_run(program):
    assert not program.is_running()
    assert program.stop(0) is False


def test_a_started_program_is_found_again_with_what_was_remembered(program, tmp_path):
    start(program, LEADER, tmp_path, port=1234)
    again = Detached("sample", program.state_file)
    assert again.is_running()
    assert again.state["port"] == 1234


def test_stopping_ends_children_too_and_those_in_sessions_of_their_own(program, tmp_path):
    start(program, LEADER, tmp_path)
    members = program.members()
    assert len(members) == 3
    assert program.stop(grace_seconds=2)
    assert [processes.facts(pid) for pid in members] == [None] * 3
    assert not program.state_file.exists()


def test_orphans_of_a_killed_leader_are_found_and_stopped(program, tmp_path):
    start(program, LEADER, tmp_path)
    leader = program.state["pid"]
    os.kill(leader, signal.SIGKILL)
    wait_for(lambda: not program.is_running())
    assert len(program.members()) == 2
    program.stop(grace_seconds=0)
    assert program.members() == []


def test_a_program_that_ignores_signals_is_killed(program, tmp_path, monkeypatch):
    monkeypatch.setattr("pushtrain.local.detached.KILL_SECONDS", 0.3)
    start(program, STUBBORN, tmp_path)
    assert program.stop(grace_seconds=0.2)
    assert program.members() == []


def test_a_program_gets_sigint_even_if_the_caller_ignores_it(program, tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = "import time\nprint('ready', flush=True)\ntry: time.sleep(60)\n"
        start(program, code + "except KeyboardInterrupt: print('interrupted')", tmp_path)
        program.stop(grace_seconds=5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in (tmp_path / "log").read_text()


def test_another_program_with_the_same_number_is_left_alone(program):
    # this very process, but remembered with another start
    write_state(program.state_file, {"pid": os.getpid(), "started": 1})
    assert not program.is_running()
    assert program.members() == []


def test_a_damaged_state_file_reads_as_empty(tmp_path):
    (tmp_path / "state.json").write_text("{")
    assert read_state(tmp_path / "state.json") == {}


def test_children_are_those_started_by_the_process_itself(program, tmp_path):
    start(program, LEADER, tmp_path)
    leader = program.state["pid"]
    assert sorted([leader, *processes.children(leader)]) == sorted(program.members())
    os.kill(processes.children(leader)[0], signal.SIGKILL)
    # a dead child that nobody fetched is not counted
    wait_for(lambda: len(processes.children(leader)) == 1)
