from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pushtrain_trainer.beat import Beat
from pushtrain_trainer.durable_files import make_folder, read_json, replace_file, write_json
from pushtrain_trainer.fencing import Fence
from pushtrain_trainer.history_table import HistoryTable, logged, row_of
from pushtrain_trainer.legacy_modules import sources_of
from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import script_version


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_json(path, {"n": 1})

    def fail(file: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_file(path, fail)
    assert read_json(path) == {"n": 1}
    assert os.listdir(tmp_path) == ["record.json"]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What is synced, in order, and what is in it then."""
    order: list[tuple[str, list[str]]] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").resolve()
        order.append((path.name, sorted(os.listdir(path)) if path.is_dir() else []))
        really(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return order


def test_made_folders_are_durable_from_the_outermost_on(
    tmp_path: Path, synced: list[tuple[str, list[str]]]
) -> None:
    for _ in range(2):
        make_folder(tmp_path / "outer" / "inner")
    assert synced == [(tmp_path.name, ["outer"]), ("outer", ["inner"])]


def test_file_is_durable_before_it_is_in_place(
    tmp_path: Path, synced: list[tuple[str, list[str]]]
) -> None:
    replace_file(tmp_path / "a", lambda file: file.write(b"1"))
    assert synced == [(f".a.{os.getpid()}.tmp", []), (tmp_path.name, ["a"])]


def test_damaged_json_reads_as_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"n": ')
    assert read_json(tmp_path / "a.json") is None
    assert read_json(tmp_path / "missing.json") is None


@pytest.fixture
def table(tmp_path: Path) -> HistoryTable:
    table = HistoryTable(tmp_path)
    for fit, epoch in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1)):
        table.append(row_of(fit, epoch, 1, {"loss": 0.5, "acc": 0.25}, 1.5))
    return table


def keys(table: HistoryTable) -> list[tuple[str, str]]:
    return [(row["fit"], row["epoch"]) for row in table.rows()]


def test_history_row_holds_what_was_logged(table: HistoryTable, tmp_path: Path) -> None:
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "fit,epoch,attempt,loss,accuracy,val_loss,val_accuracy,seconds"
    assert lines[1] == "1,1,1,0.5,0.25,,,1.500"


def test_history_is_cut_after_the_checkpoint(table: HistoryTable) -> None:
    table.drop_after(2, 1)
    assert keys(table) == [("1", "1"), ("1", "2"), ("2", "1")]


def test_row_that_a_crash_cut_short_is_forgotten(table: HistoryTable, tmp_path: Path) -> None:
    with (tmp_path / "history.csv").open("a") as file:
        file.write("3,2,1,0.4")
    assert keys(table)[-1] == ("3", "1")
    table.repair()
    table.append(row_of(3, 2, 2, {}, 1.0))
    assert keys(table)[-1] == ("3", "2")


def test_row_of_a_checkpoint_is_added_once(table: HistoryTable) -> None:
    rows = [row_of(3, 2, 1, {}, 1.0), row_of(3, 3, 1, {}, 1.0)]
    table.ensure(rows[:1])
    table.ensure(rows)
    table.ensure(rows)
    assert keys(table)[-3:] == [("3", "1"), ("3", "2"), ("3", "3")]
    table.drop_after(3, 2)
    table.ensure(rows)
    assert keys(table)[-2:] == [("3", "2"), ("3", "3")]


@pytest.mark.parametrize(
    ("logs", "name", "value"),
    [
        ({"acc": 0.5}, "accuracy", 0.5),
        ({"val_sparse_categorical_accuracy": 0.4}, "val_accuracy", 0.4),
        ({"accuracy": 0.5}, "val_accuracy", None),
        ({"loss": 2.0}, "loss", 2.0),
    ],
)
def test_figures_are_found_under_the_names_of_keras(
    logs: dict[str, float], name: str, value: float | None
) -> None:
    assert logged(logs, name) == value


def test_heartbeat_is_written_at_most_once_a_second(tmp_path: Path) -> None:
    checks: list[int] = []
    beat = Beat(tmp_path, 3, lambda aside: checks.append(1))
    beat.phase("fit", fit=1, batches=100)
    for batch in range(1, 100):
        beat.progress(batch=batch)
    assert len(checks) == 1
    assert beat.now.batch == 99
    assert beat.now.pace > 0
    written = json.loads((tmp_path / "heartbeat.json").read_text())
    assert (written["attempt"], written["phase"], written["fit"]) == (3, "fit", 1)


def test_pace_is_unknown_until_an_epoch_with_its_end_was_seen(tmp_path: Path) -> None:
    beat = Beat(tmp_path, 1, lambda aside: None)
    beat.phase("fit", epoch=1, batches=3)

    def paces(epoch: int) -> list[bool]:
        beat.phase("fit", epoch=epoch, batch=0)
        known = []
        for batch in (1, 2, 3):
            beat.progress(batch=batch)
            known.append(beat.now.pace > 0)
        beat.progress()  # validation, and what callbacks do
        return [*known, beat.now.pace > 0]

    assert paces(1) == [True, True, False, False]
    written = json.loads((tmp_path / "heartbeat.json").read_text())
    assert (written["batch"], written["pace"]) == (3, 0.0)  # though a second is not over
    assert paces(2) == [True] * 4


def test_pace_of_a_fit_without_known_batches_is_that_of_whole_epochs(tmp_path: Path) -> None:
    beat = Beat(tmp_path, 1, lambda aside: None)
    beat.phase("fit", epoch=5, batch=0)
    beat.progress(batch=1)
    assert beat.now.pace == 0
    beat.phase("fit", epoch=6, batch=0)
    beat.progress(batch=1)
    assert beat.now.pace > 0


def test_pace_of_a_growing_fit_is_known_while_it_grows(tmp_path: Path) -> None:
    beat = Beat(tmp_path, 1, lambda aside: None)
    beat.phase("fit", batch=0, batches=0)
    beat.progress(batch=1, batches=3)
    assert beat.now.pace > 0
    beat.progress(batch=0, batches=0)
    assert beat.now.pace == 0


def test_new_phase_is_written_at_once_and_its_pace_is_unknown(tmp_path: Path) -> None:
    beat = Beat(tmp_path, 1, lambda aside: None)
    beat.phase("fit", batches=2)
    beat.progress(batch=1)
    beat.phase("script")
    written = json.loads((tmp_path / "heartbeat.json").read_text())
    assert (written["phase"], written["batch"], written["pace"]) == ("script", 1, 0.0)


def test_folder_without_an_owner_is_ours(tmp_path: Path) -> None:
    assert Fence(tmp_path, 4).owner() == 4


HELD_IN_A_WRITE = """
import sys
from pathlib import Path
from pushtrain_trainer.beat import Beat
from pushtrain_trainer.fencing import Fence

output = Path(sys.argv[1])

def taken_over_meanwhile(aside):
    (output / "attempt.json").write_text('{"attempt": 5}')
    (output / "heartbeat.json").write_text("of attempt 5")
    Fence(output, 4).check(aside)

Beat(output, 4, taken_over_meanwhile).phase("fit")
"""


def test_newer_attempt_stops_the_process(tmp_path: Path) -> None:
    (tmp_path / "attempt.json").write_text('{"attempt": 5}')
    Fence(tmp_path, 5).check()
    code = (
        "import sys; from pathlib import Path; from pushtrain_trainer.fencing import Fence;"
        "Fence(Path(sys.argv[1]), 4).check()"
    )
    done = run(code, tmp_path)
    assert done.returncode == 13
    assert "attempt 5 took over" in done.stdout


def test_attempt_that_was_held_in_a_write_leaves_nothing(tmp_path: Path) -> None:
    assert run(HELD_IN_A_WRITE, tmp_path).returncode == 13
    assert sorted(os.listdir(tmp_path)) == ["attempt.json", "heartbeat.json"]
    assert (tmp_path / "heartbeat.json").read_text() == "of attempt 5"


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, with the trainer."""
    trainer = Path(__file__).parents[2] / "training_images" / "trainer"
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": str(trainer)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("keras.utils.np_utils", ["keras.utils"]),
        ("tensorflow.keras.layers.core", ["keras.layers"]),
        ("keras._tf_keras.keras.utils.np_utils", ["keras.utils"]),
        ("tensorflow.python.keras.layers", ["keras.layers"]),
        ("sklearn.cross_validation", ["sklearn.model_selection"]),
        ("keras.layers.dense", []),
        ("numpy.core", []),
    ],
)
def test_old_import_names(old: str, new: list[str]) -> None:
    assert sources_of(old, "keras") == new


def test_patches_are_undone_in_both_ways() -> None:
    class Base:
        def name(self) -> str:
            return "base"

    class Child(Base):
        pass

    patches = Patches()
    patches.wrap(Child, "name", lambda original: lambda self: "new " + original(self))
    patches.wrap(Child, "name", lambda original: lambda self: "very " + original(self))
    assert Child().name() == "very new base"
    patches.undo()
    patches.undo()
    assert Child().name() == "base"
    assert "name" not in vars(Child)


def test_script_version_follows_the_code_alone(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_text("import b\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    first = script_version(tmp_path, script)
    (tmp_path / "data.csv").write_text("1,2\n")
    assert script_version(tmp_path, script) == first
    (tmp_path / "b.py").write_text("x = 2\n")
    assert script_version(tmp_path, script) != first
