# Convolutions, batch normalisation, random flips, momentum.
import hashlib
import time

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1) / 16.0
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)

inputs = keras.Input((8, 8, 1))
z = layers.RandomTranslation(0.1, 0.1)(inputs)
z = layers.Conv2D(4, 3, activation="relu")(z)
z = layers.BatchNormalization()(z)
z = layers.Flatten()(z)
outputs = layers.Dense(10, activation="softmax")(z)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
              loss="sparse_categorical_crossentropy", metrics=["accuracy"])


class Slow(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.3)  # as if the data were large


shown = model.fit(x_train, y_train, batch_size=64, epochs=6, callbacks=[Slow()],
                  validation_data=(x_test, y_test))
print("losses", shown.history["loss"], shown.history["val_loss"])
weights = np.concatenate([w.ravel() for w in model.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest())
model.evaluate(x_test, y_test)
