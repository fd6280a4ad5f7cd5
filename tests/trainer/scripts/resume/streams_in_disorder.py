# Data whose order is not ours: a generator, a sequence and a pipeline that shuffle themselves.
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from shown import numbers, show

x, y = numbers()


def make():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"),
                              layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


class Shuffled(keras.utils.PyDataset):
    order = np.arange(120)

    def __len__(self):
        return 8

    def __getitem__(self, index):
        part = self.order[15 * index : 15 * index + 15]
        return x[part], y[part]

    def on_epoch_end(self):
        np.random.shuffle(self.order)


def batches():
    while True:
        part = np.random.randint(0, len(x), 16)
        yield x[part], y[part]


first, second = make(), make()
show(first.fit(batches(), steps_per_epoch=8, epochs=4, verbose=0, validation_data=(x, y)), first)
show(second.fit(Shuffled(), epochs=4, verbose=0), second)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(120).batch(15)
third = make()
show(third.fit(data, epochs=4, verbose=0), third)
