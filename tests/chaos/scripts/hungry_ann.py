# a batch of 1024 needs more than one GiB of memory, half of it does not
import keras
from keras.layers import Dense
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(5)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, test_size=0.3, random_state=5)

model = keras.Sequential([keras.Input(shape=(64,)), Dense(85000, activation="relu"), Dense(10, activation="softmax")])
model.compile(optimizer=keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=5, batch_size=1024, verbose=0)

print("test accuracy", model.evaluate(X_test, y_test, batch_size=128, verbose=0)[1])
