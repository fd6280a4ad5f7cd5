# Recognise handwritten digits (8x8 pixels) with a small convolutional net

import numpy as np
import keras
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D, Flatten, Dense
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(7)

# --- data ---
digits = load_digits()
X = digits.images[..., np.newaxis] / 16.0
y = digits.target
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, random_state=7, stratify=y)
print("train:", X_train.shape, " test:", X_test.shape)

# --- model ---
# just a first guess, very small so that it trains fast
model = Sequential()
model.add(keras.Input(shape=(8, 8, 1)))
model.add(Conv2D(4, (3, 3), activation='relu'))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(8, activation='relu'))  # hidden layer
model.add(Dense(10, activation='softmax'))

model.compile(loss='sparse_categorical_crossentropy',
              optimizer='adam',
              metrics=['accuracy'])
model.summary()

# --- train ---
model.fit(X_train, y_train, epochs=15, batch_size=32, verbose=2)

# --- how good is it on digits it has never seen? ---
loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
print("test loss    :", loss)
print("test accuracy:", accuracy)
