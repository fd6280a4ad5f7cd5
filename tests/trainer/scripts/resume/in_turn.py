# Two models that are trained in turn, one epoch each, one of them feeding the other.
import keras
from keras import layers
from shown import numbers, show

x, y = numbers()
maker = keras.Sequential([layers.Dense(6, activation="tanh"), layers.Dropout(0.1)])
judge = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1, "sigmoid")])
maker.compile("rmsprop", "mse")
judge.compile("adam", "binary_crossentropy", metrics=["accuracy"])
for turn in range(4):
    maker.fit(x, x, epochs=1, batch_size=16, verbose=0)
    history = judge.fit(maker.predict(x, verbose=0), y, epochs=1, batch_size=16, verbose=0)
    show(history, maker, judge)
