# Callbacks that share objects with the script, keep its data, and draw from generators of its own.
import collections
import enum
import pathlib
import random

import keras
import numpy as np
from shown import numbers, show

x, y = numbers()
rng = np.random.default_rng(7)
Best = collections.namedtuple("Best", "epoch loss")


class Mode(enum.IntEnum):
    DOWN = 1


class Record(keras.callbacks.Callback):
    def __init__(self, losses, counts, data):
        super().__init__()
        self.losses, self.counts, self.data = losses, counts, data
        self.epochs = collections.defaultdict(list)
        self.kinds = collections.Counter()
        self.seen = set()
        self.class_names = np.array(["cat", "mouse"])
        self.drawn = np.random.RandomState(3)
        self.first = losses
        self.mode, self.folder = Mode.DOWN, pathlib.Path("out")

    def on_train_begin(self, logs=None):
        self.own = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])
        self.own.append(epoch)
        self.counts[epoch % 3] += 1
        self.epochs[epoch % 2].append(self.drawn.normal())
        self.kinds[epoch % 2] += 1
        self.seen.add(epoch)
        self.first = [*self.first, epoch]
        assert self.mode is Mode.DOWN


def disturbing(seed):
    inner = random.Random(seed)

    def disturb(epoch, logs):
        weights = model.get_weights()
        noise = [rng.normal(0, 0.01 * inner.random(), w.shape) for w in weights]
        model.set_weights([w + n for w, n in zip(weights, noise, strict=True)])

    return disturb


losses, counts = [], np.zeros(3)
heavy = np.ones((300, 300))
for _ in range(2):
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["accuracy"])
    record = Record(losses, counts, (heavy, y))
    history = model.fit(
        x, y, epochs=5, batch_size=16, verbose=0,
        callbacks=[record, keras.callbacks.LambdaCallback(on_epoch_begin=disturbing(5))],
    )
    show(history, model)
    print("history", [float(v).hex() for v in losses], counts.tolist(), record.own, record.seen)
    print("history", record.epochs, record.kinds, len(record.first), record.class_names)
    assert record.epochs[9] == [] and record.losses is losses and record.data[0] is heavy
print("generators", rng.random())
