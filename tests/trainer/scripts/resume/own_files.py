# Saves what it trained, and goes on with that when it finds it.
import os

import keras
from keras import layers
from shown import numbers, show

x, y = numbers()


def make():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"),
                              layers.Dropout(0.2), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


if os.path.exists("mine.keras"):
    model = keras.models.load_model("mine.keras")
else:
    model = make()
history = model.fit(x, y, epochs=4, batch_size=16, verbose=0)
model.save("mine.keras")
show(history, model)
other = make()
show(other.fit(x, y, epochs=3, batch_size=16, verbose=0), other)
