"""A fit that is killed in the middle of an epoch goes on there and ends as if it never was."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.trainer.lab import SCRIPTS, Lab
from tests.trainer.resume_lab import Warm, WarmCase, outcome

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
    before, newest = checkpoints(cut)
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
