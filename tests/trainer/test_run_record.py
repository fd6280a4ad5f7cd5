"""Damage to the small records of a run costs neither its checkpoints nor the start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pushtrain_trainer.history_table import row_of
from pushtrain_trainer.run_state import Run, claim_checkpoints, remember_inexact


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    # a digit of the seed: what is still JSON, and still a seed
    content[content.index(b'"seed": 7') + 8] ^= 1
    file.write_bytes(content)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def spoil(file: Path) -> None:
    file.write_bytes(b"\xff" + file.read_bytes()[1:])


@pytest.fixture
def claimed(run: Run) -> Run:
    """A run of which an attempt has left a checkpoint and a row of the history."""
    run.script.write_text("x = 1\n")
    run.seed = 7
    run.resumed = True
    claim_checkpoints(run)
    (run.checkpoints / "fit-0001").mkdir()
    run.history.append(row_of(1, 1, 1, {"loss": 0.5}, 1.0))
    run.note_inexact("why")
    remember_inexact(run)
    run.inexact.clear()
    run.seed, run.resumed = 1, False
    return run


def is_kept(run: Run) -> bool:
    return (run.checkpoints / "fit-0001").exists() and len(run.history.rows()) == 1


def test_checkpoints_of_the_same_version_are_kept(claimed: Run) -> None:
    claim_checkpoints(claimed)
    assert is_kept(claimed)
    assert (claimed.seed, claimed.resumed, claimed.inexact) == (7, True, ["why"])
    assert claimed.notes == []


@pytest.mark.parametrize("name", ["run.json", "run-copy.json"])
@pytest.mark.parametrize("damage", [flip, empty, spoil, Path.unlink])
def test_damage_to_one_record_costs_nothing(
    claimed: Run, damage: Callable[[Path], None], name: str
) -> None:
    whole = (claimed.checkpoints / name).read_bytes()
    damage(claimed.checkpoints / name)
    claim_checkpoints(claimed)
    assert is_kept(claimed)
    assert (claimed.seed, claimed.inexact) == (7, ["why"])
    assert len(claimed.notes) == 1
    assert (claimed.checkpoints / name).read_bytes() == whole, "or the next damage would be fatal"


def test_checkpoints_of_nobody_knows_which_version_are_not_used(claimed: Run) -> None:
    for name in ("run.json", "run-copy.json"):
        spoil(claimed.checkpoints / name)
    claim_checkpoints(claimed)
    assert not is_kept(claimed)
    assert "both records of the run are damaged" in claimed.notes[0]


def test_damage_does_not_hide_that_the_script_changed(claimed: Run) -> None:
    claimed.script.write_text("x = 2\n")
    spoil(claimed.checkpoints / "run.json")
    claim_checkpoints(claimed)
    assert not is_kept(claimed)
    assert "the script changed" in claimed.notes[0]
    claimed.notes.clear()
    claim_checkpoints(claimed)
    assert claimed.notes == []


@pytest.mark.parametrize(
    ("bad", "left"),
    [
        pytest.param(("1,2,1", "1,x,1"), ["1", "3"], id="no number"),
        pytest.param(("1,2,1", "1,\xff,1"), ["1", "3"], id="no text"),
        pytest.param(("1,2,1", '1,",1'), ["1", "3"], id="quote"),
        pytest.param(("1,2,1", "1\r2,1"), ["1", "3"], id="line end"),
        pytest.param(("1,2,1", "1,1,1"), ["1", "3"], id="twice"),
        pytest.param(("\n1,2,1", "*1,2,1"), ["3"], id="two rows in one"),
        pytest.param(("fit,", "fat,"), ["1", "2", "3"], id="heading"),
    ],
)
def test_damaged_lines_of_the_history_are_left_out(
    claimed: Run, bad: tuple[str, str], left: list[str]
) -> None:
    table, file = claimed.history, claimed.output / "history.csv"
    for epoch in (2, 3):
        table.append(row_of(1, epoch, 1, {"loss": 1e-05, "acc": float("nan")}, 1.0))
    before = file.read_bytes()
    file.write_bytes(before.replace(*(part.encode("latin-1") for part in bad)))
    assert file.read_bytes() != before
    claim_checkpoints(claimed)
    assert claimed.notes == ["history.csv was damaged: 1 of its lines are left out"]
    assert [row["epoch"] for row in table.rows()] == left
    table.append(row_of(1, 4, 2, {}, 1.0))
    claimed.notes.clear()
    claim_checkpoints(claimed)
    assert claimed.notes == []
    assert [row["epoch"] for row in table.rows()] == [*left, "4"]
