# Each training in a process of its own, so that its memory is given back.
import multiprocessing

import keras
from keras import layers
from shown import digest, numbers


def train(units):
    x, y = numbers()
    model = keras.Sequential([layers.Dense(units, activation="relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=units, batch_size=16, verbose=0)
    return digest(model), int(model.optimizer.iterations), model.evaluate(x, y, verbose=0)[1]


if __name__ == "__main__":
    for units in (2, 2, 3):
        with multiprocessing.Pool(1) as pool:
            weights, iterations, accuracy = pool.apply(train, (units,))
        print("forked", weights, iterations)
    with open("accuracy.txt", "w") as file:
        file.write(str(accuracy))
