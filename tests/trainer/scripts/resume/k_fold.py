# A k-fold loop written by hand: each fold has a model built anew, the session is cleared.
import keras
import numpy as np
from keras import layers
from shown import numbers, show
from sklearn.model_selection import KFold

x, y = numbers()
scores = []
for train, test in KFold(3, shuffle=True).split(x):
    keras.backend.clear_session()
    model = keras.Sequential([layers.Dense(6, activation="relu"), layers.Dropout(0.2),
                              layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x[train], y[train], epochs=2, batch_size=16, verbose=0,
                        validation_data=(x[test], y[test]))
    scores.append(model.evaluate(x[test], y[test], verbose=0)[1])
    show(history, model)
print("history of the folds", np.mean(scores).hex(), np.std(scores).hex())
