# As it was written in the days of Keras 2.
import numpy as np
from keras.layers.core import Activation, Dense
from keras.layers.convolutional import Conv2D
from keras.models import Sequential
from keras.optimizers import SGD
from keras.preprocessing.image import ImageDataGenerator
from keras.utils import np_utils
from tensorflow.keras.utils import np_utils as same_utils
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
import matplotlib.pyplot as plt

name = input("Your name? ")
get_ipython().run_line_magic("matplotlib", "inline")
x, y = load_iris(return_X_y=True)
y = np_utils.to_categorical(y)
x_train, x_test, y_train, y_test = train_test_split(x.astype(np.float), y, random_state=0)
model = Sequential()
model.add(Dense(8, input_dim=4))
model.add(Activation("relu"))
model.add(Dense(3))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=SGD(lr=0.1), metrics=["accuracy"])
history = model.fit(x_train, y_train, nb_epoch=3, verbose=0)
plt.plot(history.history["acc"])
plt.show()
print("classes", model.predict_classes(x_test)[:3].shape)
model.evaluate(x_test, y_test, verbose=0)
