from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy
import pytest

from pushtrain_trainer import full_disk, sklearn_growth
from pushtrain_trainer.beat import Beat
from pushtrain_trainer.checkpoint_writer import CheckpointWriter, Job
from pushtrain_trainer.checkpoints import Checkpoint, Checkpoints
from pushtrain_trainer.full_disk import written
from pushtrain_trainer.history_table import HistoryTable, row_of
from pushtrain_trainer.run_state import Run
from pushtrain_trainer.sklearn_growth import Growth
from pushtrain_trainer.sklearn_resume import Resume


def no_room() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sklearn_growth, "COST", 0)


@pytest.mark.parametrize("error", [no_room(), OSError(errno.EROFS, "read-only")], ids=str)
def test_what_the_disk_has_no_room_for_is_written_later(
    tmp_path: Path, error: OSError, capsys: pytest.CaptureFixture[str]
) -> None:
    errors, checks = [error, error], []

    def write() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert written("the result", tmp_path, lambda: checks.append(1), write) == "done"
    assert len(checks) == 2, "a newer attempt may take the round meanwhile"
    assert capsys.readouterr().out.count("the result can not be written yet") == 1


def test_other_errors_are_not_waited_for(tmp_path: Path) -> None:
    def write() -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(PermissionError):
        written("the result", tmp_path, lambda: None, write)


def test_in_the_end_it_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "PATIENCE_SECONDS", -1.0)

    def write() -> None:
        raise no_room()

    with pytest.raises(OSError, match="No space"):
        written("the result", tmp_path, lambda: None, write)


def test_epochs_that_the_disk_had_no_room_for_come_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = HistoryTable(tmp_path)
    table.append(row_of(1, 1, 1, {"loss": 1.0}, 0.1))
    before = (tmp_path / "history.csv").read_bytes()
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(no_room()))
        for epoch in (2, 3):
            with pytest.raises(OSError, match="No space"):
                table.append(row_of(1, epoch, 1, {"loss": 1.0}, 0.1))
    assert (tmp_path / "history.csv").read_bytes() == before, "no half row"
    table.append(row_of(1, 4, 1, {"loss": 1.0}, 0.1))
    assert [row["epoch"] for row in table.rows()] == ["1", "2", "3", "4"]


def test_the_last_epochs_are_written_when_all_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = HistoryTable(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(no_room()))
        with pytest.raises(OSError, match="No space"):
            table.append(row_of(1, 1, 1, {"loss": 1.0}, 0.1))
    table.complete()
    table.complete()
    assert [row["epoch"] for row in table.rows()] == ["1"]


def test_a_trainer_that_waits_says_that_it_is_well(tmp_path: Path) -> None:
    checks: list[int] = []
    beat = Beat(tmp_path, 1, lambda aside: checks.append(1))
    beat.phase("script")
    first = (tmp_path / "heartbeat.json").read_text()
    beat.waits()
    assert (tmp_path / "heartbeat.json").read_text() != first, "not only once a second"
    assert len(checks) == 2, "a newer attempt may have taken the round"


KIB_OF_ROOM = 64
TOO_MUCH = b"x" * 2**17


@contextmanager
def little_room() -> Iterator[None]:
    """Let the system refuse to write large files, as a full disk does."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (KIB_OF_ROOM * 2**10, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def test_checkpoints_are_written_again_when_there_is_room_again(run: Run) -> None:
    checkpoints = Checkpoints(run.checkpoints / "fit-0001")
    written_jobs: list[bool] = []
    writer = CheckpointWriter(run, checkpoints, lambda job, done, _: written_jobs.append(done))
    rows = [row_of(1, epoch, 1, {"loss": 1.0}, 0.1) for epoch in (1, 2, 3)]

    def save(epoch: int) -> None:
        array = numpy.full(len(TOO_MUCH), epoch, "u1")
        writer.hand_over(Job(Checkpoint({"epoch": epoch}, [array]), (rows[epoch - 1],), 0.0))
        writer.wait()

    save(1)
    with little_room():
        save(2)
    assert run.notes == ["a checkpoint or a record could not be written: File too large"]
    kept = checkpoints.latest(run.note)
    assert kept is not None
    assert kept.data == {"epoch": 1}
    save(3)
    kept = checkpoints.latest(run.note)
    assert kept is not None
    assert kept.data == {"epoch": 3}
    assert written_jobs == [True, False, True]
    assert [row["epoch"] for row in run.history.rows()] == ["1", "2", "3"]
    assert run.trusted
    assert len(list(run.checkpoints.rglob("*"))) == 3, "the folder and two generations, no rest"


def growth_of(run: Run) -> Growth:
    """Return one that saves each part at once."""
    return Growth(Resume(run, None), (1, 0, 1), object(), lambda: {"data": "d"}, 0.0)


def test_parts_that_the_disk_had_no_room_for_come_with_the_next_ones(run: Run) -> None:
    growth = growth_of(run)
    growth.add(0, "small", 4)
    with little_room():
        growth.add(1, TOO_MUCH, 4)
    assert "could not be kept or read" in run.notes[0]
    growth.add(2, "small", 4)
    again = growth_of(run)
    assert [again.kept(place) for place in range(3)] == ["small", TOO_MUCH, "small"]


def test_parts_that_can_not_be_kept_end_the_saves_of_a_growth(run: Run) -> None:
    growth = growth_of(run)
    for place, part in enumerate(["small", lambda: None, "small"]):
        growth.add(place, part, 3)
    again = growth_of(run)
    assert [again.kept(place) for place in range(3)] == ["small", None, None]
    assert len(run.notes) == 2, "why, and that it goes on"
