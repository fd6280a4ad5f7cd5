# Keras 2: two models, a while loop, callbacks with a state, a class, weights by class.
import numpy as np
import tensorflow as tf
from keras import backend as K
from keras.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from keras.layers import BatchNormalization, Dense, Dropout, Input
from keras.models import Model, Sequential
from keras.optimizers import SGD
from shown import numbers, show

x, y = numbers()
width, accuracy = 2, 0.0
while accuracy < 0.9 and width <= 4:
    model = Sequential()
    model.add(Dense(width, activation="relu", input_dim=6))
    model.add(Dropout(0.2))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=SGD(lr=0.1, decay=1e-3, momentum=0.9),
                  metrics=["accuracy"])
    history = model.fit(x, y, epochs=3, batch_size=16, verbose=0, validation_split=0.25,
                        class_weight={0: 1.0, 1: 2.0})
    accuracy = history.history["val_accuracy"][-1]
    show(history, model)
    width *= 2
    K.clear_session()


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.inner, self.outer = Dense(6, activation="relu"), Dense(1, activation="sigmoid")

    def call(self, inputs):
        return self.outer(self.inner(inputs))


net = Net()
net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
rates = LearningRateScheduler(lambda epoch: 0.01 / (epoch + 1))
show(net.fit(x, y, epochs=4, batch_size=16, verbose=0, callbacks=[rates]), net)
inputs = Input((6,))
outputs = Dense(1, activation="sigmoid")(BatchNormalization()(Dense(5)(inputs)))
last = Model(inputs, outputs)
last.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
stop = [EarlyStopping("loss", patience=3), ReduceLROnPlateau("loss", patience=1, min_delta=0.2)]
show(last.fit(x, y, epochs=4, batch_size=16, verbose=0, callbacks=stop), last)
