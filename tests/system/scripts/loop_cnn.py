# digits with a tiny convolutional net
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(1)

digits = load_digits()
X = digits.images[..., None] / 16.0
X_train, X_test, y_train, y_test = train_test_split(X, digits.target, test_size=0.3, random_state=1)

model = keras.Sequential([
    keras.Input(shape=(8, 8, 1)),
    layers.Conv2D(2, 3, activation="relu"),  # two filters will surely do
    layers.GlobalMaxPooling2D(),
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=6, batch_size=64, verbose=2)

print("test accuracy", model.evaluate(X_test, y_test, verbose=0)[1])
