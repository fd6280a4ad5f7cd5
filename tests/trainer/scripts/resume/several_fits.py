# Two models in a row; callbacks with a state; the second is functional, with dropout.
import keras
import numpy as np
from keras import layers
from shown import numbers, show

x, y = numbers()
first = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1, "sigmoid")])
first.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
show(first.fit(x, y, epochs=2, batch_size=16, verbose=0), first)

inputs = keras.Input((6,))
hidden = layers.Dropout(0.3)(layers.Dense(16, activation="relu")(inputs))
second = keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.BatchNormalization()(hidden)))
second.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])


class Counted(keras.callbacks.Callback):
    seen = 0

    def on_epoch_end(self, epoch, logs=None):
        self.seen += 1
        self.losses = [*getattr(self, "losses", []), logs["loss"] + np.random.rand()]


counted = Counted()
callbacks = [
    keras.callbacks.EarlyStopping("val_loss", patience=4, restore_best_weights=True),
    keras.callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=0.2),
    keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True),
    keras.callbacks.CSVLogger("log.csv"),
    counted,
]
history = second.fit(x, y, validation_split=0.2, epochs=6, batch_size=16, verbose=0,
                     callbacks=callbacks)
show(history, second)
print("history", counted.seen, counted.losses, callbacks[0].best, open("log.csv").read())
