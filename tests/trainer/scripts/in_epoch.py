"""Four fits, of models and callbacks that have all kinds of state in the middle of an epoch."""

import hashlib
import pathlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(5)
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 8, 8, 1)).astype("float32")
y = (x.sum(axis=(1, 2, 3)) > 0).astype("float32")


class Counter(keras.callbacks.Callback):
    """Has a state of its own that changes with each batch, and begins epochs with a change."""

    def __init__(self):
        super().__init__()
        self.batches = 0
        self.begun = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun.append([epoch, self.batches, float(np.random.rand())])

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1


def show(model, history, counter):
    digest = hashlib.sha256()
    for values in model.get_weights():
        digest.update(np.ascontiguousarray(values).tobytes())
    print("weights", digest.hexdigest(), counter.batches, counter.begun, flush=True)
    print("history", history.epoch, {k: list(map(float, v)) for k, v in history.history.items()})


model = keras.Sequential([
    layers.RandomFlip(),
    layers.Conv2D(4, 3, activation="relu"),
    layers.BatchNormalization(),
    layers.Dropout(0.3),
    layers.Flatten(),
    layers.Dense(1, activation="sigmoid"),
])  # fmt: skip
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
counter = Counter()
callbacks = [
    keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    keras.callbacks.ReduceLROnPlateau(patience=1),
    keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
    keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True),
    keras.callbacks.CSVLogger("log.csv"),
    counter,
]
history = model.fit(
    x, y, epochs=4, batch_size=16, validation_split=0.2, class_weight={0: 1.0, 1: 2.0},
    callbacks=callbacks, verbose=0,
)  # fmt: skip
show(model, history, counter)
print("history", pathlib.Path("log.csv").read_bytes())

inputs = keras.Input((8, 8, 1))
hidden = layers.Dropout(0.2)(layers.Flatten()(inputs))
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
metrics = ["accuracy", keras.metrics.AUC()]
model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "binary_crossentropy", metrics=metrics)
counter = Counter()
history = model.fit(x, y, epochs=3, batch_size=35, shuffle=False, callbacks=[counter], verbose=0)
show(model, history, counter)


class Own(keras.Model):
    """Written by hand, down to its step and its metric."""

    def __init__(self):
        super().__init__()
        self.flat = layers.Flatten()
        self.hidden = layers.Dense(8, activation="relu")
        self.drop = layers.Dropout(0.4)
        self.out = layers.Dense(1)
        self.mean = keras.metrics.Mean(name="mine")

    def call(self, data, training=None):
        return self.out(self.drop(self.hidden(self.flat(data)), training=training))

    @property
    def metrics(self):
        return [self.mean]

    def train_step(self, data):
        import tensorflow as tf

        samples, wanted = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(samples, training=True)[:, 0] - wanted) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.mean.update_state(loss)
        return {"mine": self.mean.result()}


model = Own()
model.compile("rmsprop", steps_per_execution=3)
counter = Counter()
# the second epoch goes on in the data where the first one ends
history = model.fit(
    x, y, epochs=3, batch_size=20, steps_per_epoch=12, callbacks=[counter], verbose=0
)
show(model, history, counter)

model = keras.Sequential([layers.Flatten(), layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
history = model.fit(x, y, epochs=2, batch_size=50, verbose=0)
show(model, history, counter)
model.evaluate(x, y, verbose=0)
