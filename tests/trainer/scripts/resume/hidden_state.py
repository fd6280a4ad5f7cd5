# A state that only the training step knows, in a closure: no checkpoint has it.
import keras
import tensorflow as tf
from shown import numbers, show

x, y = numbers()
hidden = [tf.Variable(0.0, name="hidden")]


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.outer = keras.layers.Dense(1, activation="sigmoid")

    def call(self, inputs):
        return self.outer(inputs)

    def train_step(self, data):
        hidden[0].assign_add(1.0)
        return super().train_step(data)


model = Net()
model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
show(model.fit(x, y, epochs=4, batch_size=16, verbose=0), model)
