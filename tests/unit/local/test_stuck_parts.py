from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pushtrain.errors import OutsideError
from pushtrain.local import processes, stuck_parts
from pushtrain.local.airflow_api import AirflowApi
from pushtrain.local.paths import Home
from pushtrain.local.patience import JAMMED, Patience
from pushtrain.local.state_file import write_state
from pushtrain.local.stuck_parts import examine, shorten

SCHEDULER = ("scheduler", 1)


class Told(AirflowApi):
    """An Airflow that tells what a test has it tell."""

    def __init__(self, sick: dict[str, str] | None, queued: tuple[dict[str, Any], ...] = ()):
        super().__init__("http://localhost")
        self.sick, self.queued = sick, queued

    def sick_parts(self) -> dict[str, str]:
        if self.sick is None:
            raise OutsideError("no answer")
        return dict(self.sick)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return {"task_instances": list(self.queued)}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Home, int]]:
    """Yield a home whose scheduler is a program with one free worker, started an hour ago."""
    title = f"exec -a 'airflow worker -- LocalExecutor: <idle>' {sys.executable} -c 'input()'"
    program = subprocess.Popen(
        ["bash", "-c", title], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    )
    found = processes.facts(program.pid)
    since = datetime.now(UTC).timestamp() - 3600
    about = {"pid": program.pid, "started": found.started if found else 0, "since": since}
    write_state(tmp_path / "state" / "parts" / "scheduler.json", about)
    while "LocalExecutor" not in stuck_parts._title(program.pid):
        pass  # bash has not become it yet
    yield Home(tmp_path), program.pid
    program.kill()
    program.communicate()


def queued(seconds: float) -> dict[str, Any]:
    """Return a task that was queued so long ago."""
    return {"id": "t1", "queued_when": (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()}


def test_a_part_that_was_well_is_stuck_after_its_patience():
    patience = Patience()
    assert patience.overdue({SCHEDULER: ""}, 0) == []
    assert patience.overdue({SCHEDULER: "unhealthy"}, 10) == []
    assert patience.overdue({SCHEDULER: "unhealthy"}, 99) == []
    assert patience.overdue({SCHEDULER: "unhealthy"}, 100) == [SCHEDULER]


def test_a_part_that_was_well_in_between_is_not_stuck():
    patience = Patience()
    for now, told in ((0, ""), (10, "unhealthy"), (50, ""), (60, "unhealthy")):
        assert patience.overdue({SCHEDULER: told}, now) == []
    assert patience.overdue({SCHEDULER: "unhealthy"}, 149) == []


def test_a_part_that_starts_is_given_more_time_and_a_new_one_its_own():
    patience = Patience()
    assert patience.overdue({SCHEDULER: "unhealthy"}, 0) == []
    assert patience.overdue({SCHEDULER: "unhealthy"}, 299) == []
    assert patience.overdue({SCHEDULER: "unhealthy"}, 300) == [SCHEDULER]
    assert patience.overdue({("scheduler", 2): "unhealthy"}, 310) == []


def test_a_jam_needs_no_more_patience():
    assert Patience().overdue({SCHEDULER: JAMMED}, 0) == [SCHEDULER]


def test_what_airflow_says_is_laid_at_the_living_process(home):
    where, pid = home
    now = datetime.now(UTC)
    assert examine(where, Told({}), now) == {("scheduler", pid): ""}
    told = Told({"scheduler": "unhealthy", "triggerer": "unhealthy"})
    assert examine(where, told, now) == {("scheduler", pid): "unhealthy"}


@pytest.mark.parametrize("told", [None, {"database": "unhealthy", "scheduler": "unhealthy"}])
def test_what_can_not_be_known_is_nobodys_fault(home, told):
    assert examine(home[0], Told(told), datetime.now(UTC)) == {}


@pytest.mark.parametrize(
    ("seconds", "is_jammed"),
    [(5, False), (60, True), (7200, False)],
    ids=["just queued", "queued for long", "queued by an earlier scheduler"],
)
def test_a_task_that_no_free_worker_takes_means_a_jam(home, seconds, is_jammed):
    where, pid = home
    found = examine(where, Told({}, (queued(seconds),)), datetime.now(UTC))
    assert found == {("scheduler", pid): JAMMED if is_jammed else ""}


def test_a_task_that_a_worker_has_taken_is_no_jam(home, monkeypatch):
    where, pid = home
    titles = {pid: "LocalExecutor: <idle>", os.getpid(): "LocalExecutor: t1"}
    monkeypatch.setattr(stuck_parts, "pids_of", lambda _home, _part: [*titles])
    monkeypatch.setattr(stuck_parts, "_title", titles.__getitem__)
    found = examine(where, Told({}, (queued(60),)), datetime.now(UTC))
    assert found == {("scheduler", pid): ""}


def test_a_long_log_is_moved_aside_while_it_is_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(stuck_parts, "LOG_BYTES", 10)
    log = tmp_path / "airflow-scheduler.log"
    with log.open("a") as writer:
        writer.write("0123456789\n")
        writer.flush()
        shorten(log)
        writer.write("more\n")
    assert log.read_text() == "more\n"
    assert (tmp_path / "airflow-scheduler.log.1").read_text() == "0123456789\n"
    shorten(log)
    assert log.read_text() == "more\n"
