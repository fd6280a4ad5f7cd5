from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pushtrain.adapters.disk_errors import clear_disk_errors
from pushtrain.adapters.records import read_json, write_json
from pushtrain.errors import OutsideError


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "make room"), (errno.EROFS, "read-only"), (errno.ENOENT, "mount it")],
    ids=lambda value: str(value),
)
def test_what_a_disk_does_is_told_with_what_to_do(number: int, says: str) -> None:
    with (
        pytest.raises(OutsideError, match=rf"/store/a.json: .*{says}"),
        clear_disk_errors(Path("/store/a.json")),
    ):
        raise OSError(number, os.strerror(number))


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(PermissionError), clear_disk_errors(Path("a")):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_full_disk_keeps_the_old_record_and_leaves_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutsideError, match="make room"):
        write_json(path, {"a": 2})
    assert read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="mount it"):
        write_json(tmp_path / "experiments" / "a-1" / "experiment.json", {})
    assert list(tmp_path.iterdir()) == []
