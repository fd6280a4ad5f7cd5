# each epoch takes about a second, so that there is time to pull the plug
import time

import keras
from keras.layers import Dense
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(5)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, test_size=0.3, random_state=5)

model = keras.Sequential([keras.Input(shape=(64,)), Dense(32, activation="relu"), Dense(10, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

breathe = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(1))
model.fit(X_train, y_train, epochs=10, batch_size=64, callbacks=[breathe], verbose=0)

print("test accuracy", model.evaluate(X_test, y_test, verbose=0)[1])
