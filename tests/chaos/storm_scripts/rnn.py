# Recurrent layers with dropout over the rows of pictures.
import hashlib

import keras
import numpy as np
from diary import Diary
from keras import layers
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = (x / 16.0).reshape(-1, 8, 8)

model = keras.Sequential(
    [
        layers.Bidirectional(layers.LSTM(12, dropout=0.1, return_sequences=True)),
        layers.GRU(12, recurrent_dropout=0.1),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x[:1200],
    y[:1200],
    epochs=8,
    batch_size=32,
    verbose=0,
    validation_split=0.1,
    callbacks=[Diary()],
)
print("history", history.epoch, history.history)
weights = np.concatenate([w.ravel() for w in model.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest())
print("test", model.evaluate(x[1200:], y[1200:], verbose=0))
