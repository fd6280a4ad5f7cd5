"""Training loops of the script's own: watched, started again, helped by its own checkpoints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.trainer.lab import Lab
from tests.trainer.resume_lab import Warm, WarmCase

from pushtrain_trainer.beat import Beat
from pushtrain_trainer.custom_loops import LoopWatch
from pushtrain_trainer.fencing import Fence
from pushtrain_trainer.history_table import HistoryTable
from pushtrain_trainer.loop_record import GOES_ON, NOT_ALL, STARTS_AGAIN, LoopRecord
from pushtrain_trainer.run_state import Run

GUIDE = Path(__file__).parents[2] / "docs" / "custom_loops.md"


def run_of(folder: Path, attempt: int = 1) -> Run:
    (folder / "checkpoint").mkdir(exist_ok=True)
    beat = Beat(folder, attempt, lambda aside: None)
    beat.phase("script")
    return Run(
        folder, folder, folder / "a.py", attempt, 1, HistoryTable(folder), beat,
        Fence(folder, attempt),
    )  # fmt: skip


class Function:
    """Stands for a tf.function; with a tape it computes a gradient when it is traced."""

    def __init__(self, watch: LoopWatch, *, trains: bool) -> None:
        tape = watch.watched_gradient(lambda tape: "gradient")
        self._traced = [lambda: tape(None)] if trains else []
        self.call = watch.watched_call(lambda function: function.work())

    def work(self) -> str:
        if self._traced:
            self._traced.pop()()
        return "result"

    def __call__(self) -> Any:
        return self.call(self)


def test_steps_of_a_loop_are_progress(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    step = Function(LoopWatch(run), trains=True)
    assert step() == "result"
    assert (run.beat.now.phase, run.beat.now.batch, run.beat.now.pace) == ("loop", 1, 0.0)
    for _ in range(6):
        step()
    assert run.beat.now.batch == 7
    assert run.beat.now.pace > 0
    assert not run.notes


def test_functions_that_train_nothing_are_no_loop(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    predict = Function(LoopWatch(run), trains=False)
    for _ in range(9):
        predict()
    assert run.beat.now.phase == "script"
    assert not (run.checkpoints / "loop.json").exists()


def test_steps_of_a_fit_are_left_to_it(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.beat.phase("fit", fit=1)
    step = Function(LoopWatch(run), trains=True)
    step()
    step()
    assert (run.beat.now.phase, run.beat.now.batch) == ("fit", 0)


def test_loop_of_an_earlier_attempt_starts_again(tmp_path: Path) -> None:
    LoopRecord(run_of(tmp_path)).begin()
    run = run_of(tmp_path, attempt=2)
    LoopRecord(run).begin()
    assert (run.notes, run.exact) == ([STARTS_AGAIN], True)


def work(folder: Path) -> float:
    return float(json.loads((folder / "work.json").read_text())["work"]["saves"])


def test_only_a_loop_that_gets_further_makes_progress(tmp_path: Path) -> None:
    for attempt, saves, most in ((1, 3, 3), (2, 2, 3), (3, 4, 4)):
        record = LoopRecord(run_of(tmp_path, attempt))
        for number in range(saves):
            record.saved(f"saved/{number}")
        assert work(tmp_path) == most


def test_loop_that_reads_its_own_save_goes_on(tmp_path: Path) -> None:
    first = LoopRecord(run_of(tmp_path))
    first.begin()
    first.saved("saved/ckpt-1")
    run = run_of(tmp_path, attempt=2)
    record = LoopRecord(run)
    record.restored(Path("saved/ckpt-1").absolute())
    record.begin()
    record.saved("saved/ckpt-2")
    assert (run.notes, run.exact, run.inexact) == ([GOES_ON], False, [NOT_ALL])
    assert work(tmp_path) == 2


def test_foreign_weights_are_no_checkpoint(tmp_path: Path) -> None:
    LoopRecord(run_of(tmp_path)).begin()
    run = run_of(tmp_path, attempt=2)
    record = LoopRecord(run)
    record.restored("imagenet.weights.h5")
    record.begin()
    assert run.notes == [STARTS_AGAIN]


@pytest.fixture(scope="module")
def warm(ann_lab: Lab) -> Iterator[Warm]:
    process = Warm(ann_lab)
    yield process
    process.close()


def saved_model(case: WarmCase) -> bytes:
    (newest,) = (case.work / "saved").glob("ckpt-8.data-*")
    return newest.read_bytes()


@pytest.mark.docker
@pytest.mark.slow
def test_loop_of_the_guide_goes_on_and_ends_as_if_never_killed(warm: Warm) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    whole, cut = warm.case("loop.py", code), warm.case("loop.py", code)
    expected = whole.finished()
    assert (whole.result["exact"], whole.result["notes"][1:]) == (True, [])
    cut.killed((0, 100))
    assert (cut.record("heartbeat.json")["phase"], work(cut.output)) == ("loop", 2)
    assert not cut.attempt(kill=(0, 170)).lines("epoch 2 ")
    last = cut.finished()
    assert last.lines("epoch 8") == expected.lines("epoch 8")
    assert not last.lines("epoch 6 ")
    assert saved_model(cut) == saved_model(whole)
    assert cut.result["accuracy"] == whole.result["accuracy"]
    assert (cut.result["exact"], work(cut.output)) == (False, 8)
    assert GOES_ON in cut.notes
    assert NOT_ALL in cut.notes


@pytest.mark.docker
@pytest.mark.slow
def test_loop_that_saves_nothing_starts_again(warm: Warm) -> None:
    whole, cut = warm.case("adversaries.py"), warm.case("adversaries.py")
    expected = whole.finished()
    cut.killed((0, 15))
    last = cut.finished()
    assert last.lines("weights") == expected.lines("weights")
    assert (cut.result["exact"], STARTS_AGAIN in cut.notes) == (True, True)
    assert STARTS_AGAIN not in whole.notes
