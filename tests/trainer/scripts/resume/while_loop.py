# Doubles its own width until it is good, as many as it takes.
import keras
from keras import layers
from shown import numbers, show

x, y = numbers()
width, accuracy = 1, 0.0
while accuracy < 0.9 and width <= 16:
    model = keras.Sequential([layers.Dense(width, activation="relu"), layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x[:90], y[:90], epochs=3, batch_size=16, verbose=0)
    accuracy = model.evaluate(x[90:], y[90:], verbose=0)[1]
    print("history of width", width, accuracy)
    show(history, model)
    width *= 2
