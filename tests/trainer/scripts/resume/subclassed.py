# A model as a class with a training step of its own and layers that draw random numbers.
import keras
from keras import layers, ops
from shown import numbers, show


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.noise = layers.GaussianNoise(0.1)
        self.inner = layers.Dense(8, activation="relu")
        self.drop = layers.Dropout(0.2)
        self.outer = layers.Dense(2)
        self.penalty = keras.metrics.Mean(name="penalty")

    def call(self, x, training=False):
        return self.outer(self.drop(self.inner(self.noise(x)), training=training))

    def train_step(self, data):
        logs = super().train_step(data)
        self.penalty.update_state(ops.sum(ops.abs(self.outer.kernel)))
        return {**logs, "penalty": self.penalty.result()}


x, y = numbers()
model = Net()
model.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)),
              keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
history = model.fit(x, y, epochs=5, batch_size=16, verbose=0, class_weight={0: 1.0, 1: 2.0})
show(history, model)
