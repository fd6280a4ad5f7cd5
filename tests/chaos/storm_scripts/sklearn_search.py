# Several fits: two searches with cross-validation, a forest, and a network that draws numbers.
import hashlib

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier


def told(estimator, x, y):
    """Say that a fold was fitted and is scored: one that is kept is not scored again."""
    print(f"diary: done {estimator} without {x.sum():.3f}", flush=True)
    return estimator.score(x, y)


np.random.seed(3)
x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.4)

forest = RandomForestClassifier(n_estimators=300).fit(x_train, y_train)
print("test forest", forest.score(x_test, y_test))
search = GridSearchCV(
    MLPClassifier(max_iter=60),
    {"hidden_layer_sizes": [(8,), (16,), (32,)], "alpha": [1e-4, 1e-2]},
    cv=3,
    scoring=told,
)
search.fit(x_train, y_train)
print("history of the search", search.best_params_, search.cv_results_["mean_test_score"])
choices = {"max_depth": [4, 8, 16], "n_estimators": [20, 40, 60, 80]}
second = RandomizedSearchCV(RandomForestClassifier(), choices, n_iter=8, cv=3, scoring=told)
second.fit(x_train, y_train)
print("history of the second", second.best_params_, second.cv_results_["mean_test_score"])
last = MLPClassifier((24,), max_iter=250, tol=0).fit(x_train, y_train)
said = b"".join(m.predict_proba(x_test).tobytes() for m in (forest, search, second, last))
print("weights", hashlib.sha256(said).hexdigest(), np.random.rand())
print("test", last.score(x_test, y_test))
