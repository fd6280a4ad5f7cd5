# Seven million weights and short epochs: a save at the end of each would cost more than it may.
import hashlib

import keras
import numpy as np
from diary import Diary
from keras import layers
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = x / 16.0

model = keras.Sequential(
    [
        layers.Dense(2500, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(2500, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x[:1300], y[:1300], epochs=16, batch_size=64, verbose=0, callbacks=[Diary()])
print("history", history.epoch, history.history)
weights = np.concatenate([w.ravel() for w in model.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest())
print("test", model.evaluate(x[1300:], y[1300:], verbose=0))
