"""Checkpoints that are damaged, or of something else: what is used instead, and what is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.trainer.lab import Lab
from tests.trainer.resume_lab import Warm, WarmCase, outcome

pytestmark = [pytest.mark.docker, pytest.mark.slow]

SETTINGS = {"samples": 96, "units": [8, 4], "optimizer": "adam", "epochs": 4, "batch_size": 16}
BATCHES = 6  # of an epoch


@pytest.fixture(scope="module")
def warm(ann_lab: Lab) -> Iterator[Warm]:
    process = Warm(ann_lab)
    yield process
    process.close()


@pytest.fixture(scope="module")
def killed(warm: Warm) -> WarmCase:
    """A training that died in the fourth epoch of its second fit."""
    case = warm.case("configured.py")
    configure(case)
    case.killed((2, 3 * BATCHES + 3))
    return case


@pytest.fixture(scope="module")
def expected(warm: Warm) -> dict[str, Any]:
    case = warm.case("configured.py")
    configure(case)
    return outcome(case, case.finished())


@pytest.fixture
def case(warm: Warm, killed: WarmCase) -> WarmCase:
    """A copy of what the killed attempt left."""
    copy = warm.case("configured.py")
    for name in ("work", "output"):
        shutil.copytree(killed.folder / name, copy.folder / name, dirs_exist_ok=True)
    copy.attempts = killed.attempts
    return copy


def configure(case: WarmCase, **changed: Any) -> None:
    (case.work / "settings.json").write_text(json.dumps({**SETTINGS, **changed}))


def generations(case: WarmCase) -> list[Path]:
    """Return the arrays of the second fit's checkpoints, the oldest first."""
    files = [f for f in (case.output / "checkpoint/fit-0002").iterdir() if f.suffix != ".json"]
    return sorted(files)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, empty, flip])
def test_damaged_checkpoint_is_told_and_the_one_before_is_used(
    case: WarmCase, expected: dict[str, Any], damage: Callable[[Path], None]
) -> None:
    damage(generations(case)[-1])
    assert outcome(case, case.finished()) == expected
    assert "is damaged" in case.notes
    assert case.epochs()[4:] == [(2, 1, 1), (2, 2, 1), (2, 3, 2), (2, 4, 2)]


def test_fit_without_a_whole_checkpoint_starts_anew(
    case: WarmCase, expected: dict[str, Any]
) -> None:
    for file in generations(case):
        flip(file)
    assert outcome(case, case.finished()) == expected
    assert case.notes.count("is damaged") == 2
    assert [a for _, _, a in case.epochs()] == [1] * 4 + [2] * 4


def test_checkpoint_of_another_schema_is_not_read(warm: Warm, expected: dict[str, Any]) -> None:
    newer = (
        "import os\nfrom pushtrain_trainer import checkpoints\n"
        "if os.environ['PUSHTRAIN_ATTEMPT'] == '1':\n    checkpoints.SCHEMA += 1\n"
    )
    plain = warm.case("configured.py")
    script = newer + (plain.work / "configured.py").read_text()
    case = warm.case("newer.py", script)
    configure(case)
    case.killed((2, 2 * BATCHES))
    training = case.finished()
    assert outcome(case, training) == expected
    assert "schema" in case.notes
    assert {a for _, _, a in case.epochs()} == {2}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"units": [8, 5]}, "architecture"),
        ({"units": [4, 8]}, "architecture"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"epochs": 5}, "epochs"),
        ({"batch_size": 24}, "batch size"),
        ({"samples": 72}, "data shape"),
    ],
    ids=["architecture", "order of fits", "optimizer", "epochs", "batch size", "data shape"],
)
def test_checkpoint_of_another_fit_is_not_used(
    case: WarmCase, changed: dict[str, Any], what: str
) -> None:
    configure(case, **changed)
    case.finished()
    assert f"is trained anew: its checkpoint is of another {what}" in case.notes
    # what followed from a fit that is trained anew is trained anew, too
    is_first = changed.get("units") != [8, 5]
    assert [a for _, _, a in case.epochs()[:4]] == [2 if is_first else 1] * 4
    assert {a for _, _, a in case.epochs()[4:]} == {2}


def test_checkpoint_of_another_version_of_the_script_is_not_used(case: WarmCase) -> None:
    with (case.work / "shown.py").open("a") as file:
        file.write("# a module of the tree is a part of the version\n")
    case.finished()
    assert "the script changed since the checkpoints were made" in case.notes
    assert {a for _, _, a in case.epochs()} == {2}


def test_damage_to_small_records_does_not_cost_the_checkpoints(
    case: WarmCase, expected: dict[str, Any]
) -> None:
    for file in (case.output / "checkpoint/run.json", case.output / "history.csv"):
        content = file.read_bytes().rstrip()
        file.write_bytes(content[:-5] + b"\xff" + content[-4:] + b"\n")
    assert outcome(case, case.finished()) == expected, "the row lies in the checkpoint, too"
    assert [a for _, _, a in case.epochs()] == [1] * 7 + [2]
    assert "one of the two records of the run was damaged" in case.notes
    assert "history.csv was damaged: 1 of its lines are left out" in case.notes


def test_files_that_were_being_written_are_removed(
    case: WarmCase, expected: dict[str, Any]
) -> None:
    aside = [case.output / ".history.csv.7.tmp", generations(case)[-1].with_name(".000009.7.tmp")]
    for file in aside:
        file.write_bytes(b"half of it")
    assert outcome(case, case.finished()) == expected
    assert not any(file.exists() for file in aside)
    assert [a for _, _, a in case.epochs()[4:]] == [1, 1, 1, 2]
