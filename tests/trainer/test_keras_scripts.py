from __future__ import annotations

import pytest
from tests.trainer.lab import Case, Lab, Training

pytestmark = [pytest.mark.docker, pytest.mark.slow]

FIGURES = ("first losses", "second losses", "losses", "weights", "test")


def figures(training: Training) -> list[str]:
    """Return the lines in which the scripts print all that training led to."""
    return [line for start in FIGURES for line in training.lines(start)]


@pytest.fixture(scope="module")
def ann_whole(ann_lab: Lab) -> tuple[Case, Training]:
    case = ann_lab.case()
    training = case.train(case.add("ann_two_fits.py"))
    assert training.code == 0, training.stderr
    return case, training


def test_result_of_a_keras_script(ann_whole: tuple[Case, Training]) -> None:
    case, training = ann_whole
    result = case.record("result.json")
    assert (result["split"], result["source"], result["exact"]) == ("test", "evaluate", True)
    assert result["notes"] == []  # nothing of ours came between
    assert result["parameters"] == 64 * 16 + 16 + 16 * 10 + 10
    assert result["artifact_bytes"] == (case.output / "model.keras").stat().st_size
    assert result["epochs"] == 10
    assert case.epochs() == [(1, n, 1) for n in (1, 2)] + [(2, n, 1) for n in range(1, 9)]
    assert all(float(row[3]) > 0 and 0 <= float(row[4]) <= 1 for row in case.history())
    assert any(
        line.startswith("pushtrain: epoch 3/8 loss ") for line in training.lines("pushtrain")
    )
    beat = case.record("heartbeat.json")
    assert (beat["phase"], beat["fit"], beat["epoch"], beat["epochs"]) == ("finished", 2, 8, 8)


def test_killed_ann_ends_as_if_never_killed(
    ann_case: Case, ann_whole: tuple[Case, Training]
) -> None:
    script = ann_case.add("ann_two_fits.py")
    table = ann_case.output / "history.csv"
    ann_case.train_and_kill(script, lambda: table.exists() and len(ann_case.history()) >= 5)
    finished = [(fit, epoch) for fit, epoch, _ in ann_case.epochs()]
    training = ann_case.train(script, attempt=2)
    assert training.code == 0, training.stderr
    assert figures(training) == figures(ann_whole[1])
    epochs = ann_case.epochs()
    assert [(f, e) for f, e, _ in epochs] == [(f, e) for f, e, _ in ann_whole[0].epochs()]
    assert [(f, e) for f, e, a in epochs if a == 1][: len(finished)] == finished
    assert epochs[-1] == (2, 8, 2)
    assert not training.lines("pushtrain: epoch 1/")
    result = ann_case.record("result.json")
    assert result["exact"] is True
    assert "fit 1 was finished in an earlier attempt" in " ".join(result["notes"])


def test_killed_cnn_with_a_damaged_checkpoint_ends_as_if_never_killed(cnn_lab: Lab) -> None:
    whole, cut = cnn_lab.case(), cnn_lab.case()
    script = whole.add("cnn_augmented.py")
    expected = whole.train(script)
    assert expected.code == 0, expected.stderr
    assert whole.record("result.json")["split"] == "validation"
    cut.add(script)
    table = cut.output / "history.csv"
    cut.train_and_kill(script, lambda: table.exists() and len(cut.history()) >= 3)
    newest = max((cut.output / "checkpoint/fit-0001").glob("*.ckpt"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    training = cut.train(script, attempt=2)
    assert training.code == 0, training.stderr
    assert figures(training) == figures(expected)
    assert "is damaged" in " ".join(cut.record("result.json")["notes"])
    epochs = cut.epochs()
    assert [e for _, e, _ in epochs] == [1, 2, 3, 4, 5, 6]
    assert epochs[1] == (1, 2, 1)
    assert epochs[-1] == (1, 6, 2)


SMALL = """
import keras, numpy as np
keras.utils.set_random_seed(3)
x = np.random.rand(60, 4); y = (x.sum(axis=1) > 2).astype(int)
model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
"""


def test_finished_fit_is_skipped_until_the_script_changes(ann_case: Case) -> None:
    script = ann_case.add("small.py", SMALL + "model.fit(x, y, epochs=2)\nraise ValueError('x')\n")
    assert ann_case.train(script).code == 10
    again = ann_case.train(script, attempt=2)
    assert again.code == 10
    assert not again.lines("pushtrain: epoch")
    assert ann_case.epochs() == [(1, 1, 1), (1, 2, 1)]
    ann_case.add("small.py", SMALL + "model.fit(x, y, epochs=2)\n")
    changed = ann_case.train(script, attempt=3)
    assert changed.code == 0, changed.stderr
    assert "the script changed" in changed.stdout
    assert ann_case.epochs() == [(1, 1, 3), (1, 2, 3)]
    result = ann_case.record("result.json")
    assert (result["split"], result["source"]) == ("train", "fit")


def test_order_that_can_not_be_repeated_is_told(ann_case: Case) -> None:
    code = """
import os
import tensorflow as tf
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(60).batch(10)
class Crash(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2 and os.environ["PUSHTRAIN_ATTEMPT"] == "1":
            os._exit(9)
model.fit(data, epochs=4, callbacks=[Crash()], verbose=0)
model.evaluate(x, y, verbose=0)
"""
    script = ann_case.add("stream.py", SMALL + code)
    assert ann_case.train(script).code == 9
    assert ann_case.train(script, attempt=2).code == 0
    result = ann_case.record("result.json")
    assert result["exact"] is False
    assert "not exact: the order of data" in " ".join(result["notes"])
    assert ann_case.epochs() == [(1, 1, 1), (1, 2, 1), (1, 3, 2), (1, 4, 2)]


OLD = (
    "keras.layers.core",
    "keras.layers.convolutional",
    "keras.utils.np_utils",
    "SGD(lr=)",
    "fit(nb_epoch=)",
    "input()",
)


def test_old_imports_and_arguments_work(ann_case: Case) -> None:
    training = ann_case.train(ann_case.add("legacy_ann.py"))
    assert training.code == 0, training.stderr
    assert training.lines("classes") == ["classes (3,)"]
    notes = " ".join(ann_case.record("result.json")["notes"])
    for old in OLD:
        assert old in notes


def test_missing_data_set_says_which_file_belongs_where(ann_case: Case) -> None:
    code = "from keras.datasets import mnist\nmnist.load_data()\n"
    assert ann_case.train(ann_case.add("mnist.py", code)).code == 10
    error = ann_case.record("result.json")["error"]
    assert error["message"].startswith("mnist.npz is not in the dataset folder")
    assert "dataset folder as mnist.npz" in error["message"]
    assert (error["file"], error["line"]) == ("mnist.py", 2)


def test_broken_hook_leaves_the_training_alone(ann_case: Case) -> None:
    spoil = """
import keras.src.trainers.data_adapters.array_data_adapter as adapters
import pushtrain_trainer.checkpoints as checkpoints
def broken(*args, **kwargs): raise RuntimeError("spoiled")
checkpoints.Checkpoints.save = broken
"""
    code = SMALL + spoil + "model.fit(x, y, epochs=2, verbose=0)\nmodel.evaluate(x, y, verbose=0)\n"
    training = ann_case.train(ann_case.add("spoiled.py", code))
    assert training.code == 0, training.stderr
    result = ann_case.record("result.json")
    assert (result["exact"], result["split"]) == (False, "train")
    assert "RuntimeError: spoiled" in " ".join(result["notes"])
