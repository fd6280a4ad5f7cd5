# an epoch takes about a second, so that there is time to pull the plug; a file `hurry` ends that,
# a file `deadlock` makes it wait for itself
import os
import threading
import time

import keras
from keras.layers import Dense, Dropout
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

EPOCHS = 90  # two lines each: the last lines of a log are all of it
PAUSE = 0.05  # seconds after each batch

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, test_size=0.3, random_state=5)

model = keras.Sequential([
    keras.Input(shape=(64,)),
    Dense(32, activation="relu"),
    Dropout(0.2),
    Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])


def wait_for_itself():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


has_begun = []  # of this process: the attributes of a callback come back after a restart


class Diary(keras.callbacks.Callback):
    """Says when this process trains what, and takes its time."""

    def on_epoch_begin(self, epoch, logs=None):
        print(f"diary: epoch {epoch + 1}", flush=True)

    def on_train_batch_end(self, batch, logs=None):
        if not has_begun:
            has_begun.append(True)
            print(f"diary: first batch at {time.time():.2f}", flush=True)
        if os.path.exists("deadlock"):
            os.remove("deadlock")
            wait_for_itself()
        if not os.path.exists("hurry"):
            time.sleep(PAUSE)


model.fit(X_train, y_train, epochs=EPOCHS, batch_size=64, callbacks=[Diary()], verbose=0)

print("test accuracy", model.evaluate(X_test, y_test, verbose=0)[1])
