# Attention over the rows of pictures, as a class of its own.
import hashlib

import keras
import numpy as np
from diary import Diary
from keras import layers
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = (x / 16.0).reshape(-1, 8, 8)


class Attentive(keras.Model):
    def __init__(self):
        super().__init__()
        self.widen = layers.Dense(16)
        self.attend = layers.MultiHeadAttention(num_heads=2, key_dim=8, dropout=0.1)
        self.norm = layers.LayerNormalization()
        self.pool = layers.GlobalAveragePooling1D()
        self.drop = layers.Dropout(0.2)
        self.head = layers.Dense(10, activation="softmax")

    def call(self, rows, training=False):
        wide = self.widen(rows)
        mixed = self.norm(wide + self.attend(wide, wide, training=training))
        return self.head(self.drop(self.pool(mixed), training=training))


model = Attentive()
model.compile(
    keras.optimizers.AdamW(0.003, use_ema=True),
    "sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(x[:1300], y[:1300], epochs=14, batch_size=32, verbose=0, callbacks=[Diary()])
print("history", history.epoch, history.history)
weights = np.concatenate([w.ravel() for w in model.get_weights()])
print("weights", hashlib.sha256(weights.tobytes()).hexdigest())
print("test", model.evaluate(x[1300:], y[1300:], verbose=0))
