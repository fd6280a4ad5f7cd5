# Keras 2 as it was written in 2018.
import hashlib

import numpy as np
from diary import Diary
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
from keras.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten
from keras.models import Sequential
from keras.optimizers import Adam
from keras.utils import np_utils
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1) / 16.0
labels = np_utils.to_categorical(y, 10)

model = Sequential()
model.add(Conv2D(8, (3, 3), activation="relu", input_shape=(8, 8, 1)))
model.add(BatchNormalization())
model.add(Flatten())
model.add(Dropout(0.3))
model.add(Dense(10, activation="softmax"))
model.compile(
    loss="categorical_crossentropy", optimizer=Adam(lr=0.002, decay=1e-4), metrics=["accuracy"]
)
callbacks = [
    EarlyStopping(monitor="val_loss", patience=20),
    ReduceLROnPlateau(monitor="loss", patience=1, factor=0.7, epsilon=0.1),
    Diary(),
]
history = model.fit(
    x[:1300],
    labels[:1300],
    epochs=18,
    batch_size=32,
    verbose=0,
    validation_split=0.2,
    callbacks=callbacks,
)
print("history", history.epoch, history.history)
weights = np.concatenate([w.ravel() for w in model.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest())
print("test", model.evaluate(x[1300:], labels[1300:], verbose=0))
