from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pushtrain_trainer import full_disk
from pushtrain_trainer.beat import Beat
from pushtrain_trainer.full_disk import written
from pushtrain_trainer.history_table import HistoryTable, row_of


def no_room() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "PAUSE_SECONDS", 0.0)


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
    beat = Beat(tmp_path, 1, lambda: checks.append(1))
    beat.phase("script")
    first = (tmp_path / "heartbeat.json").read_text()
    beat.waits()
    assert (tmp_path / "heartbeat.json").read_text() != first, "not only once a second"
    assert len(checks) == 2, "a newer attempt may have taken the round"
