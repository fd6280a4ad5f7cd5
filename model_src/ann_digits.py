"""Digits, dense layers only (functional API)."""
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(3)

EPOCHS = 10
BATCH = 32

X, y = load_digits(return_X_y=True)
X = X / 16.0  # pixels are 0..16
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=3, stratify=y)

inputs = keras.Input(shape=(64,))
x = layers.Dense(4, activation="relu")(inputs)   # TODO how many neurons do we need?
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs)

model.compile(optimizer="adam",
              loss="sparse_categorical_crossentropy",
              metrics=["accuracy"])
history = model.fit(X_train, y_train,
                    validation_split=0.1,
                    epochs=EPOCHS, batch_size=BATCH, verbose=2)

score = model.evaluate(X_test, y_test, verbose=0)
print("Test loss:", score[0])
print("Test accuracy:", score[1])
