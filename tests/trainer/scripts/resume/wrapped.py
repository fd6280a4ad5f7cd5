# Keras models as estimators: cross-validation and a search over their parameters.
import keras
from keras import layers
from keras.wrappers.scikit_learn import KerasClassifier
from shown import numbers, show
from sklearn.model_selection import GridSearchCV, cross_val_score

x, y = numbers()


def make(units=4):
    model = keras.Sequential([layers.Dense(units, activation="relu"), layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model


estimator = KerasClassifier(build_fn=make, epochs=2, batch_size=20, verbose=0)
print("history of the folds", cross_val_score(estimator, x, y, cv=2))
grid = GridSearchCV(estimator, {"units": [2, 5]}, cv=2)
grid.fit(x[:90], y[:90])
print("history of the search", grid.best_params_, grid.cv_results_["mean_test_score"])
print("history of the test", grid.score(x[90:], y[90:]))
show(None, grid.best_estimator_.model)
