# digits, dense layers only
from tensorflow import keras
from tensorflow.keras.layers import Dense
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(1)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, test_size=0.3, random_state=1)

model = keras.Sequential()
model.add(keras.Input(shape=(64,)))
model.add(Dense(2, activation="tanh"))   # a bottle neck
model.add(Dense(10, activation="softmax"))
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=8, batch_size=64, verbose=2)

loss, accuracy = model.evaluate(X_test, y_test, verbose=0)
print("test accuracy", accuracy)
