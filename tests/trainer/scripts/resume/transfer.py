# Transfer learning: a trained base is frozen, then thawed and compiled anew with a lower rate.
import keras
from keras import layers
from shown import numbers, show

x, y = numbers()
base = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu", name="inner")])
auto = keras.Sequential([base, layers.Dense(6)])
auto.compile("adam", "mse")
auto.fit(x, x, epochs=2, batch_size=16, verbose=0)
auto.save_weights("auto.weights.h5")
base.trainable = False
inputs = keras.Input((6,))
model = keras.Model(inputs, layers.Dense(1, "sigmoid")(base(inputs, training=False)))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
show(model.fit(x, y, epochs=3, batch_size=16, verbose=0), model)
base.trainable = True
model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
show(model.fit(x, y, epochs=6, initial_epoch=3, batch_size=16, verbose=0), model)
