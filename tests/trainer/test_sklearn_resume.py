from __future__ import annotations

import json

import pytest
from tests.trainer.lab import Case, Lab, Training

pytestmark = [pytest.mark.docker, pytest.mark.slow]

START = """
import os, signal
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
from sklearn.model_selection import cross_val_score, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y)
ATTEMPT = int(os.environ["PUSHTRAIN_ATTEMPT"])

def show(model):
    drawn = np.random.rand()
    print("res", model.score(x_test, y_test), model.predict(x_test).sum(), drawn, flush=True)

def die(attempt):
    if ATTEMPT == attempt:
        os.kill(os.getpid(), signal.SIGKILL)
"""
FITS = """
forest = RandomForestClassifier(600)
shown = StandardScaler()
pipeline = make_pipeline(shown, forest)
assert pipeline.fit(x_train, y_train) is pipeline
show(pipeline)
print("res", shown.mean_.sum(), len(forest.estimators_), pipeline[-1] is forest)
drawn_by = np.random.RandomState(3)
own = RandomForestClassifier(600, random_state=drawn_by).fit(x_train, y_train)
show(own)
print("res", drawn_by.rand())
die(1)
show(RandomForestClassifier(20).fit(x_train, y_train))
"""
SEARCH = """
class Forest(ClassifierMixin, BaseEstimator):
    def __init__(self, depth=1): self.depth = depth
    def fit(self, X, y):
        print("fold", self.depth, len(X), flush=True)
        if self.depth == 12 and len(X) < 1000: die(1)
        self.inner = RandomForestClassifier(400, max_depth=self.depth).fit(X, y)
        self.classes_ = self.inner.classes_
        return self
    def predict(self, X): return self.inner.predict(X)
folds = KFold(2, shuffle=True, random_state=np.random.RandomState(4))
search = GridSearchCV(Forest(), {"depth": [4, 8, 12]}, cv=folds)
"""
SEARCHES = {
    "GridSearchCV": SEARCH
    + "search.fit(x_train, y_train)\nprint('res', search.cv_results_['mean_test_score'])\n"
    "show(search)\nprint('res', folds.random_state.rand())\n",
    "cross_validate": SEARCH + "print('res', [cross_validate(Forest(d), x_train, y_train, cv=folds)"
    "['test_score'] for d in (4, 8, 12)], np.random.rand())\n",
}
SEARCHES["cross_val_score"] = (
    SEARCHES["cross_validate"]
    .replace("cross_validate(", "cross_val_score(")
    .replace("['test_score']", "")
)
SEARCHES["RandomizedSearchCV"] = SEARCHES["GridSearchCV"].replace(
    'GridSearchCV(Forest(), {"depth": [4, 8, 12]}',
    'RandomizedSearchCV(Forest(), {"depth": [4, 8, 12]}, n_iter=3',
)
IN_PLACE = """
from sklearn.decomposition import IncrementalPCA
from sklearn.impute import SimpleImputer
big = np.random.rand(40000, 20)
big[7, 3] = np.nan  # not in the sample of rows that tells data apart
assert make_pipeline(SimpleImputer(copy=False)).fit_transform(big) is big
print("res", np.isnan(big).sum())
x_train = make_pipeline(StandardScaler(copy=False)).fit_transform(np.tile(x_train, (9, 1)))
y_train = np.tile(y_train, 9)
model = IncrementalPCA(copy=False)
batches = np.split(big, 40)
for batch in batches:
    model.partial_fit(batch)
print("res", big.sum(), model.components_.sum())
show(RandomForestClassifier(150).fit(x_train, y_train))
die(1)
"""
GROWING = """
model = SGDClassifier()
for epoch in range(6):
    for i in range(3):
        model.partial_fit(np.tile(x_train[i::3], (30, 1)), np.tile(y_train[i::3], 30), range(10))
    show(model)
forest = RandomForestClassifier(warm_start=True)
for n in (400, 800, 1200):
    forest.n_estimators = n
    if n == 1200: die(1)
    forest.fit(x_train, y_train)
    show(forest)
"""


def records(case: Case) -> set[tuple[int, ...]]:
    """Return the keys of the fits that are kept."""
    found = (case.output / "checkpoint" / "sklearn").glob("0*.json")
    bodies = [json.loads(path.read_text())["body"] for path in found]
    return {tuple(entry["key"]) for body in bodies for entry in body["entries"]}


def whole(lab: Lab, code: str) -> Training:
    """Train without an interruption; `die` knows no attempt of that number."""
    case = lab.case()
    training = case.train(case.add("s.py", START + code), attempt=9)
    assert training.code == 0, training.stderr
    assert training.lines("res")
    return training


def killed(case: Case, code: str) -> tuple[str, Training]:
    script = case.add("s.py", START + code)
    training = case.train(script)
    assert training.code == 137, training.stderr
    return script, training


def notes(case: Case) -> str:
    return " ".join(case.record("result.json")["notes"])


def test_finished_fits_are_not_done_again(sklearn_lab: Lab) -> None:
    case = sklearn_lab.case()
    script, _ = killed(case, FITS)
    assert {(1,), (2,)} <= records(case)
    training = case.train(script, attempt=2)
    assert training.code == 0, training.stderr
    assert training.lines("res") == whole(sklearn_lab, FITS).lines("res")
    assert "fit 1 (Pipeline) was finished in an earlier attempt" in notes(case)
    assert "fit 2 (RandomForestClassifier) was finished in an earlier attempt" in notes(case)
    assert "fit 3" not in notes(case)
    assert case.record("result.json")["exact"] is True


def test_damaged_record_is_done_again(sklearn_lab: Lab) -> None:
    case = sklearn_lab.case()
    script, _ = killed(case, FITS)
    newest = max((case.output / "checkpoint" / "sklearn").glob("0*.joblib"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    training = case.train(script, attempt=2)
    assert training.lines("res") == whole(sklearn_lab, FITS).lines("res")
    assert "is damaged" in notes(case)
    assert "fit 1 (Pipeline) was finished" in notes(case)
    assert "fit 2 (RandomForestClassifier) was finished" not in notes(case)


@pytest.mark.parametrize("name", SEARCHES)
def test_search_goes_on_with_its_candidate_and_fold(sklearn_lab: Lab, name: str) -> None:
    case = sklearn_lab.case()
    script, first = killed(case, SEARCHES[name])
    kept = records(case)
    assert kept, first.stdout
    training = case.train(script, attempt=2)
    expected = whole(sklearn_lab, SEARCHES[name])
    assert training.code == 0, training.stderr
    assert training.lines("res") == expected.lines("res")
    # what is kept of a validation as a whole stands for its two folds
    spared = sum(1 if len(key) > 1 else 2 for key in kept)
    assert len(training.lines("fold")) == len(expected.lines("fold")) - spared
    assert case.record("result.json")["exact"] is True


def test_data_that_is_changed_in_place_is_changed_again(sklearn_lab: Lab) -> None:
    case = sklearn_lab.case()
    script, _ = killed(case, IN_PLACE)
    training = case.train(script, attempt=2)
    assert training.lines("res") == whole(sklearn_lab, IN_PLACE).lines("res")
    assert "fit 43 (RandomForestClassifier) was finished" in notes(case)
    assert "done anew" not in notes(case)


def test_killed_from_outside_in_a_long_fit(sklearn_lab: Lab) -> None:
    code = FITS.replace("die(1)", "").replace("RandomForestClassifier(20)",
                                              "RandomForestClassifier(3000)")  # fmt: skip
    case = sklearn_lab.case()
    script = case.add("s.py", START + code)

    def third_fit() -> bool:
        beat = case.output / "heartbeat.json"
        now = json.loads(beat.read_text()) if beat.exists() else {}
        return (now.get("phase"), now.get("fit")) == ("fit", 3)

    case.train_and_kill(script, third_fit)
    training = case.train(script, attempt=2)
    assert training.lines("res") == whole(sklearn_lab, code).lines("res")
    assert "fit 2 (RandomForestClassifier) was finished" in notes(case)
    told = "fit 3 (RandomForestClassifier) was interrupted and starts again from its beginning"
    assert told in notes(case)


def test_growing_models_go_on(sklearn_lab: Lab) -> None:
    case = sklearn_lab.case()
    script, _ = killed(case, GROWING)
    kept = records(case)
    training = case.train(script, attempt=2)
    assert training.lines("res") == whole(sklearn_lab, GROWING).lines("res")
    assert kept
    assert "skipped" in notes(case)


def test_search_in_other_processes_is_kept_as_a_whole(sklearn_case: Case) -> None:
    code = """
scoring = make_scorer(accuracy_score)
model = RandomForestClassifier(300, random_state=0)
search = GridSearchCV(model, {"max_depth": [4, 8]}, cv=2, n_jobs=2, scoring=scoring)
show(search.fit(x_train, y_train))
die(1)
"""
    script, first = killed(sklearn_case, code)
    assert "with n_jobs=2 other processes fit the candidates" in first.stdout
    training = sklearn_case.train(script, attempt=2)
    assert training.lines("res") == first.lines("res")
    assert "fit 1 (GridSearchCV) was finished" in notes(sklearn_case)


def test_what_can_not_be_kept_is_told_and_done_again(sklearn_case: Case) -> None:
    code = """
odd = make_pipeline(FunctionTransformer(lambda x: x + 1), RandomForestClassifier(600))
show(odd.fit(x_train, y_train))
die(1)
"""
    script, first = killed(sklearn_case, code)
    training = sklearn_case.train(script, attempt=2)
    assert training.lines("res") == first.lines("res")
    assert "Pipeline can not be kept, a restart does it again" in notes(sklearn_case)
    assert "was finished in an earlier attempt" not in notes(sklearn_case)


def test_fit_on_other_data_is_done_anew(sklearn_case: Case) -> None:
    code = """
show(RandomForestClassifier(600).fit(x_train + ATTEMPT, y_train))
die(1)
"""
    script, first = killed(sklearn_case, code)
    assert records(sklearn_case) == {(1,)}
    training = sklearn_case.train(script, attempt=2)
    assert training.code == 0, training.stderr
    assert training.lines("res") != first.lines("res")
    assert "is done anew: its record is of another data" in notes(sklearn_case)
