# A dense network with callbacks that have a state; two models in a row.
import hashlib

import keras
import numpy as np
from diary import Diary
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, random_state=0)


def train(units, epochs):
    model = keras.Sequential(
        [
            layers.Dense(units, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=40, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.7, min_delta=0.1),
        Diary(),
    ]
    history = model.fit(
        x_train,
        y_train,
        validation_split=0.2,
        epochs=epochs,
        batch_size=16,
        verbose=0,
        callbacks=callbacks,
    )
    print("history", history.epoch, history.history)
    return model


first, second = train(16, 6), train(64, 24)
weights = np.concatenate([w.ravel() for w in first.get_weights() + second.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest(), np.random.rand())
print("test", second.evaluate(x_test, y_test, verbose=0))
