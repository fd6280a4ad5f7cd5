# steps_per_epoch, initial_epoch, steps_per_execution, sample weights, averaged weights.
import keras
import numpy as np
from keras import layers
from shown import numbers, show

x, y = numbers()
model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"),
                          layers.Dense(1, activation="sigmoid")])
optimizer = keras.optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=3, clipnorm=1.0)
model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], steps_per_execution=2)
weights = np.linspace(0.5, 1.5, len(x))
show(model.fit(x, y, sample_weight=weights, epochs=3, batch_size=10, verbose=0), model)
show(model.fit(x, y, epochs=7, initial_epoch=3, batch_size=10, shuffle=False, verbose=0), model)
show(model.fit(x, y, epochs=4, steps_per_epoch=6, batch_size=20, verbose=0), model)
