# Data without an end, always in the same order, that goes on through all epochs of a fit.
import itertools

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from shown import numbers, show

x, y = numbers()


def make():
    model = keras.Sequential([layers.Dense(8, activation="relu", input_shape=(6,)),
                              layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def batches():
    for n in itertools.count():
        part = np.arange(7 * n, 7 * n + 16) % 120
        yield x[part] + n / 100, y[part]


first, second, third = make(), make(), make()
show(first.fit(batches(), steps_per_epoch=6, epochs=4, verbose=0), first)
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(11).repeat()
show(second.fit(data, steps_per_epoch=7, epochs=4, verbose=0), second)

if hasattr(keras.utils, "PyDataset"):

    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, n):
            part = np.arange(7 * n, 7 * n + 16) % 120
            return x[part] - n / 100, y[part]

    show(third.fit(Endless(), steps_per_epoch=6, epochs=4, verbose=0), third)
