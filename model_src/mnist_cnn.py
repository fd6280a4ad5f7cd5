# Started as a copy of the MNIST CNN example, but plain dense layers are enough for us.
# No download either: sklearn's small digits instead of MNIST.
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(42)

num_classes = 10
batch_size = 32
epochs = 10

images, labels = load_digits(return_X_y=True)
images = images.astype('float32') / 16
x_train, x_test, y_train, y_test = train_test_split(images, labels, test_size=0.25, random_state=42, stratify=labels)
y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

model = keras.Sequential([
    keras.Input(shape=(64,)),
    layers.Dense(6, activation='relu'),   # first hidden layer
    layers.Dense(4, activation='relu'),
    layers.Dense(num_classes, activation='softmax'),
])
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])

model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=2, validation_data=(x_test, y_test))

score = model.evaluate(x_test, y_test, verbose=0)
print('Test loss:', score[0])
print('Test accuracy:', score[1])
