# What it trains stands in a file that is no code: the script stays the same version.
import json

import keras
from keras import layers
from shown import numbers, show

with open("settings.json") as file:
    settings = json.load(file)
x, y = numbers(settings["samples"])


def train(units):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(units, activation="relu"),
                              layers.Dense(1, activation="sigmoid")])
    model.compile(settings["optimizer"], "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=settings["epochs"], batch_size=settings["batch_size"],
                        verbose=0)
    show(history, model)


for units in settings["units"]:
    train(units)
