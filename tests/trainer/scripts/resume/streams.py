# Data that is no array but comes in the same order each epoch: a pipeline, and a sequence.
import keras
import tensorflow as tf
from keras import layers
from shown import numbers, show

x, y = numbers()


def make():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"),
                              layers.Dropout(0.2), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        part = slice(15 * index, 15 * index + 15)
        return x[part], y[part]


first, second = make(), make()
data = tf.data.Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a * 2.0, b)).batch(16)
show(first.fit(data.prefetch(2), epochs=4, verbose=0, validation_data=data), first)
show(second.fit(Batches(), epochs=4, verbose=0, shuffle=False), second)
