# Two models in a row, dropout, a split for validation, callbacks with a state.
import hashlib
import time

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, random_state=0)


def make(units):
    model = keras.Sequential([
        layers.Dense(units, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer=keras.optimizers.Adam(0.003),
                  loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def slowly(epoch, logs):
    time.sleep(0.3)  # as if the data were large


first = make(8)
shown = first.fit(x_train, y_train, epochs=2, verbose=0)
print("first losses", shown.history["loss"], shown.epoch)

second = make(16)
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=30, restore_best_weights=True)
slow = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.5, min_delta=0.3)
shown = second.fit(x_train, y_train, validation_split=0.2, epochs=8, verbose=0,
                   callbacks=[stop, slow, keras.callbacks.LambdaCallback(on_epoch_end=slowly)])
print("second losses", shown.history["loss"], shown.epoch, shown.history["learning_rate"])

weights = np.concatenate([w.ravel() for w in first.get_weights() + second.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest(), np.random.rand())
print("test", second.evaluate(x_test, y_test, verbose=0))
