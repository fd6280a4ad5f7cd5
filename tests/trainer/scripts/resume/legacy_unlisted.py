# Keras 2: states that neither the model nor its optimizer lists.
import tensorflow as tf
from keras.layers import LSTM, Dense, Dropout
from keras.models import Sequential
from keras.optimizers import Nadam
from shown import numbers, show

x, y = numbers(96)
model = Sequential([
    LSTM(3, stateful=True, batch_input_shape=(16, 6, 1)), Dropout(0.2),
    Dense(1, activation="sigmoid"),
])  # fmt: skip
optimizer = tf.keras.mixed_precision.LossScaleOptimizer(Nadam(0.02), initial_scale=4.0,
                                                        dynamic_growth_steps=3)  # fmt: skip
model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x.reshape(-1, 6, 1), y, epochs=4, batch_size=16, verbose=0, shuffle=False)
show(history, model)
print("weights", float(optimizer.loss_scale))
