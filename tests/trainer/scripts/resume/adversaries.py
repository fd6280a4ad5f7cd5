# Two networks in turn by train_on_batch, as in a GAN; random numbers from NumPy.
import keras
import numpy as np
from keras import layers
from shown import digest, numbers

x, y = numbers()
maker = keras.Sequential([keras.Input((3,)), layers.Dense(6, activation="sigmoid")])
judge = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"),
                          layers.Dropout(0.2), layers.Dense(1, activation="sigmoid")])
judge.compile("adam", "binary_crossentropy", metrics=["accuracy"])
judge.trainable = False
both = keras.Sequential([maker, judge])
both.compile("adam", "binary_crossentropy")
for step in range(12):
    real = x[np.random.randint(0, len(x), 16)]
    made = maker(np.random.rand(16, 3)).numpy()
    judge.train_on_batch(np.concatenate([real, made]), np.repeat([1.0, 0.0], 16))
    both.train_on_batch(np.random.rand(16, 3), np.ones(16))
print("weights", digest(both), digest(judge), np.random.rand())
judge.evaluate(x, np.ones(len(x)), verbose=0)
