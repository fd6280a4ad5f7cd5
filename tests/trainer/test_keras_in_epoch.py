"""A fit that is killed in the middle of an epoch goes on there and ends as if it never was."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.trainer.lab import SCRIPTS, Lab
from tests.trainer.resume_lab import KILLED, Warm, WarmCase, outcome

pytestmark = [pytest.mark.docker, pytest.mark.slow]

ALWAYS = 0.001  # seconds between two saves: each follows the one before
GOES_ON = re.compile(r"pushtrain: fit (\d) goes on in epoch (\d)/\d after batch (\d+)/(\d+), "
                     r"which attempt (\d) saved")  # fmt: skip


@pytest.fixture(scope="module", params=["", "legacy"], ids=["keras 3", "tf-keras"])
def warm(request: pytest.FixtureRequest, ann_lab: Lab) -> Iterator[Warm]:
    process = Warm(ann_lab, {"PUSHTRAIN_KERAS": request.param} if request.param else None)
    yield process
    process.close()


def case_of(warm: Warm, text: str | None = None) -> WarmCase:
    return warm.case("in_epoch.py", text or (SCRIPTS / "in_epoch.py").read_text())


# Batches that an attempt trains of a fit before it is killed: by fit, at least and at most. The
# third fit takes three batches at once, so there are four of what it tells of in an epoch.
KILLS = ((1, 5, 25), (1, 8, 60), (2, 3, 12), (2, 3, 12), (3, 2, 3), (3, 2, 4), (4, 3, 11))


def test_killed_inside_epochs_ends_as_if_never_killed(warm: Warm) -> None:
    whole, cut = case_of(warm), case_of(warm)
    expected = outcome(whole, whole.finished())
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    inside = 0
    for fit, least, most in KILLS:
        said = cut.killed((fit, draw.randint(least, most)), checkpoint_seconds=ALWAYS).stdout
        inside += len(GOES_ON.findall(said))
    last = cut.finished()
    inside += len(GOES_ON.findall(last.stdout))
    assert outcome(cut, last) == expected
    assert cut.result["exact"] is True, cut.notes
    assert inside >= 4, "hardly one went on inside an epoch"
    rows = [(row[0], row[1]) for row in cut.history()]
    assert rows == sorted(set(rows)), "an epoch stands in the table twice"
    assert json.loads((cut.output / "work.json").read_text())["work"]["epoch"] == 0


LONG_EPOCHS = """
import keras, numpy as np
keras.utils.set_random_seed(3)
x = np.random.rand(1200, 4); y = (x.sum(axis=1) > 2).astype(int)
model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=2, batch_size=4, verbose=0)
print("history", history.history)
print("weights", [w.tolist() for w in model.get_weights()])
"""


def checkpoints(case: WarmCase) -> list[Path]:
    return sorted((case.output / "checkpoint/fit-0001").glob("0*.ckpt"))


def test_damaged_checkpoint_inside_an_epoch_gives_way_to_the_one_before(warm: Warm) -> None:
    whole, cut = case_of(warm, LONG_EPOCHS), case_of(warm, LONG_EPOCHS)
    expected = outcome(whole, whole.finished())
    cut.killed((1, 290), checkpoint_seconds=ALWAYS)
    assert 0 < json.loads((cut.output / "work.json").read_text())["work"]["epoch"] < 1
    *_, before, newest = checkpoints(cut)  # a third one if it was killed before it was removed
    newest.write_bytes(newest.read_bytes()[:-7])
    last = cut.finished()
    assert f"checkpoint fit-0001/{newest.stem} is damaged" in last.stdout
    (place,) = GOES_ON.findall(last.stdout)
    assert (place[:2], place[3:]) == (("1", "1"), ("300", "1"))
    assert 0 < int(place[2]) < 290
    assert before.exists() is False, "the last checkpoint of a fit is the only one"
    assert outcome(cut, last) == expected
    assert cut.record("heartbeat.json")["batches"] == 300


def test_exception_in_a_fit_leaves_the_epochs_before_it(warm: Warm) -> None:
    text = LONG_EPOCHS.replace("history =", """
import os
class Fail(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and os.environ["PUSHTRAIN_ATTEMPT"] == "1":
            raise KeyboardInterrupt
history =""", 1).replace("verbose=0", "verbose=0, callbacks=[Fail()]", 1)  # fmt: skip
    case = case_of(warm, text)
    assert case.attempt().code == 10
    assert case.epochs() == [(1, 1, 1)]
    case.finished()
    assert case.epochs() == [(1, 1, 1), (1, 2, 2)]


def weights(found: dict[str, Any]) -> list[str]:
    return [found["model"], *(line for line in found["said"] if line.startswith("weights"))]


def test_data_without_an_end_goes_on_behind_what_was_used(warm: Warm) -> None:
    text = (SCRIPTS / "endless.py").read_text()
    whole, cut = case_of(warm, text), case_of(warm, text)
    expected = outcome(whole, whole.finished())
    cut.killed((1, 15))
    cut.killed((1, 9), checkpoint_seconds=ALWAYS)
    cut.killed((2, 23))
    cut.killed((2, 5), checkpoint_seconds=ALWAYS)
    if len(expected["history"]) == 12:  # Keras 3 has a third kind
        cut.killed((3, 15))
        cut.killed((3, 9), checkpoint_seconds=ALWAYS)
    found = outcome(cut, cut.finished())
    assert weights(found) == weights(expected)
    if not warm.environment:  # tf-keras: the figures of the epochs gone on with are told inexact
        assert found == expected
    assert cut.result["exact"] is False, "nobody can tell that they come in the same order again"


ENDS = """
import os, threading
def written():
    for thread in threading.enumerate():
        if thread.name == "pushtrain-checkpoint":
            thread.join()
class Told(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        if os.path.exists("kill"):
            os.remove("kill")
            written()
            os.kill(os.getpid(), 9)
        print("history told", {name: float(logs[name]).hex() for name in ("loss", "val_loss")})
history ="""


def test_end_of_a_fit_is_told_the_last_epoch_by_whoever_reaches_it(warm: Warm) -> None:
    text = LONG_EPOCHS.replace("history =", ENDS, 1).replace(
        "verbose=0", "verbose=0, validation_split=0.2, callbacks=[Told()]", 1
    )
    whole, cut = case_of(warm, text), case_of(warm, text)
    expected = outcome(whole, whole.finished())
    cut.add("kill", "")
    assert cut.attempt().code == KILLED
    last = cut.finished()
    assert "fit 1 goes on after epoch 2/2" in last.stdout
    found = outcome(cut, last)
    del expected["model"], found["model"]  # tf-keras writes the last figures into it, too
    assert found == expected
    assert len(last.lines("history told")) == 1


# The clock is the script's: a batch takes a tenth of a second, and a checkpoint is on disk before
# the next batch begins, however slow the machine is.
CLOCKED = """
import threading, time
now = 0.0
time.monotonic = lambda: now
class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        global now
        now += 0.1
        print("batch", self.epoch, batch, flush=True)
        for thread in threading.enumerate():
            if thread.name == "pushtrain-checkpoint":
                thread.join()
history ="""


def test_what_is_trained_again_fits_into_the_time_between_checkpoints(warm: Warm) -> None:
    text = LONG_EPOCHS.replace("history =", CLOCKED, 1).replace(
        "verbose=0", "verbose=0, callbacks=[Clock()]", 1
    )
    case = case_of(warm, text)
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    draw, done, again = random.Random(seed), 0, []
    for _ in range(4):
        said = case.killed((1, draw.randint(30, 120)), checkpoint_seconds=2)
        batches = [line.split()[1:] for line in said.lines("batch")]
        numbers = [300 * int(epoch) + int(batch) + 1 for epoch, batch in batches]
        again.append(done - numbers[0] + 1)
        done = numbers[-1]
    assert again[0] == 0
    assert all(0 <= count <= 21 for count in again), "two seconds are 20 batches, and one begun"
