"""A script of many short fits holds no more memory than it does without the trainer."""

from __future__ import annotations

import pytest
from tests.trainer.lab import Lab
from tests.trainer.resume_lab import Warm

pytestmark = [pytest.mark.docker, pytest.mark.slow]

MANY_FITS = """
import gc, weakref
import keras, numpy as np

class Heard(keras.callbacks.Callback):
    pass

known = {"data": [], "labels": [], "model": [], "callback": []}
for i in range(6):
    x = np.random.rand(40, 4); y = (x.sum(axis=1) > 2).astype(int)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    heard = Heard()
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_split=0.2, callbacks=[heard])
    for name, thing in zip(known, (x, y, model, heard)):
        known[name].append(weakref.ref(thing))
del x, y, model, heard, thing
gc.collect()
print("alive", {name: sum(r() is not None for r in refs) for name, refs in known.items()})
kept = ("TFEpochIterator", "DataHandler", "CallbackList", "Keeper", "Saver", "Fit")
left = [type(thing).__name__ for thing in gc.get_objects()]
print("left", sum(left.count(name) for name in kept))
"""


@pytest.mark.parametrize("keras", ["", "legacy"], ids=["keras 3", "tf-keras"])
def test_ended_fits_hold_neither_data_nor_models(ann_lab: Lab, keras: str) -> None:
    warm = Warm(ann_lab, {"PUSHTRAIN_KERAS": keras} if keras else None)
    case = warm.case("many_fits.py", MANY_FITS)
    said = case.finished()
    skipped = case.finished()
    warm.close()
    # the model that was trained last is saved at the end
    expected = ["alive {'data': 0, 'labels': 0, 'model': 1, 'callback': 0}", "left 0"]
    for training in (said, skipped):
        assert [*training.lines("alive"), *training.lines("left")] == expected
