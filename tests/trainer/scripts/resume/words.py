# Text with an embedding and a recurrent layer, then numbers with a layer that was adapted.
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from shown import numbers, show

x, y = numbers()
words = ["red", "green", "blue", "cat", "dog", "sun"]
texts = [" ".join(w for w, v in zip(words, row) if v > 0.5) for row in x]
split = layers.TextVectorization(max_tokens=20, output_sequence_length=6)
split.adapt(tf.constant(texts))
ids = np.array(split(tf.constant(texts)))
model = keras.Sequential([
    layers.Embedding(20, 4, mask_zero=True),
    layers.Bidirectional(layers.GRU(3, dropout=0.1, recurrent_dropout=0.1)),
    layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
show(model.fit(ids, y, epochs=3, batch_size=16, verbose=0, validation_split=0.2), model)
scale = layers.Normalization()
scale.adapt(x)
model = keras.Sequential([scale, layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"], run_eagerly=True)
show(model.fit(x, y, epochs=3, batch_size=16, verbose=0), model)
