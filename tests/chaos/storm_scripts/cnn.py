# Convolutions, batch normalisation, random shifts, momentum.
import hashlib

import keras
import numpy as np
from diary import Diary
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1) / 16.0
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)

inputs = keras.Input((8, 8, 1))
z = layers.RandomTranslation(0.1, 0.1)(inputs)
z = layers.Conv2D(8, 3, activation="relu")(z)
z = layers.BatchNormalization()(z)
z = layers.Flatten()(z)
outputs = layers.Dense(10, activation="softmax")(z)
model = keras.Model(inputs, outputs)
rate = keras.optimizers.schedules.CosineDecay(0.05, 2500)
model.compile(
    keras.optimizers.SGD(rate, momentum=0.9),
    "sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=60,
    verbose=0,
    validation_data=(x_test, y_test),
    callbacks=[Diary()],
)
print("history", history.epoch, history.history)
weights = np.concatenate([w.ravel() for w in model.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest())
print("test", model.evaluate(x_test, y_test, verbose=0))
