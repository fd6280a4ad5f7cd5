"""Kills a script's own growing loops: they go on behind the last call that was kept."""

from __future__ import annotations

import re

import pytest
from tests.trainer.lab import Case, Lab

pytestmark = [pytest.mark.docker, pytest.mark.slow]

START = """
import copy, os, pickle, signal
import joblib
import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
x, y = load_digits(return_X_y=True)
ATTEMPT = int(os.environ["PUSHTRAIN_ATTEMPT"])

def show(*what):
    models = [joblib.hash(pickle.loads(pickle.dumps(part))) for part in what]
    print("res", *models, np.random.rand(), flush=True)

def die(attempt):
    if ATTEMPT == attempt:
        os.kill(os.getpid(), signal.SIGKILL)
"""
LOOPS = """
model, best, score = SGDClassifier(), None, 0
for epoch in range(30):
    order = np.random.permutation(len(x))
    for i in range(0, len(x), 60):
        batch = order[i:i + 60]
        model.partial_fit(x[batch], y[batch], classes=range(10))
    if epoch == 20: die(1)
    now = model.score(x, y)
    if now > score:
        score, best = now, copy.deepcopy(model)
    print("res", epoch, now, flush=True)
show(model, best)
assert type(model) == SGDClassifier and model.__class__ is SGDClassifier

drawn_by = np.random.RandomState(3)
scaler, own, groups = StandardScaler(), SGDClassifier(random_state=drawn_by), MiniBatchKMeans(10)
for epoch in range(4):
    for i in range(0, len(x), 60):
        scaler.partial_fit(x[i:i + 60])
        own.partial_fit(x[i:i + 60], y[i:i + 60], classes=range(10))
        groups.partial_fit(x[i:i + 60])
    if epoch == 2: show(own)
show(scaler, own, groups)
print("res", drawn_by.rand(), flush=True)

forest = RandomForestClassifier(n_estimators=50, warm_start=True)
for size in range(50, 1050, 50):  # of half a second of work some is written on any machine
    forest.n_estimators = size
    forest.fit(x, y)
    if size == 950: die(2)
show(forest)
open("accuracy.txt", "w").write("0.9")
"""


def notes(case: Case) -> str:
    return " ".join(case.record("result.json")["notes"])


def test_growing_loops_go_on_behind_the_last_kept_call(sklearn_lab: Lab) -> None:
    case, plain = sklearn_lab.case(), sklearn_lab.case()
    case.environment["PUSHTRAIN_CHECKPOINT_SECONDS"] = "0.05"  # quicker than the calls in all
    script = case.add("s.py", START + LOOPS)
    assert [case.train(script, attempt=n).code for n in (1, 2)] == [137, 137]
    last = case.train(script, attempt=3)
    assert last.code == 0, last.stderr
    expected = plain.train(plain.add("s.py", START + LOOPS), attempt=9)
    assert last.lines("res") == expected.lines("res")
    assert case.record("result.json")["exact"] is True
    kept = re.search(r"partial_fit of SGDClassifier goes on behind its call (\d+)", notes(case))
    assert kept is not None
    assert int(kept[1]) > 300
    assert "fit of RandomForestClassifier goes on behind its call" in notes(case)


LOOKED_AT = """
model = SGDClassifier()
for i in range(800):
    model.partial_fit(x[:60] + i % 7, y[:60], classes=range(10))
    if ATTEMPT == 2 and i == 50: print("res early", model.score(x, y))
print("res", model.score(x, y))
die(1)
print("res", model.coef_.sum())
open("accuracy.txt", "w").write("0.9")
"""


def test_look_that_comes_as_a_surprise_starts_the_attempt_anew(sklearn_lab: Lab) -> None:
    case, plain = sklearn_lab.case(), sklearn_lab.case()
    script = case.add("s.py", START + LOOKED_AT)
    assert case.train(script).code == 137
    second = case.train(script, attempt=2)
    assert second.code == 0, second.stderr
    assert "it is started anew" in second.stdout
    assert "looked at an estimator where it did not before" in notes(case)
    expected = plain.train(plain.add("s.py", START + LOOKED_AT), attempt=2)
    assert second.lines("res") == expected.lines("res")


def test_calls_on_other_data_are_done_anew(sklearn_lab: Lab) -> None:
    code = LOOKED_AT.replace("i % 7", "i % 7 + ATTEMPT").replace("i == 50", "False")
    case, plain = sklearn_lab.case(), sklearn_lab.case()
    script = case.add("s.py", START + code)
    assert case.train(script).code == 137
    second = case.train(script, attempt=2)
    assert "call 1 of partial_fit of SGDClassifier is another than in" in notes(case)
    expected = plain.train(plain.add("s.py", START + code), attempt=2)
    assert second.lines("res") == expected.lines("res")


def test_parts_that_the_script_holds_stay_parts_of_the_estimator(sklearn_lab: Lab) -> None:
    code = """
model = SGDClassifier()
for i in range(600):
    model.partial_fit(x[:60] + i % 7, y[:60], classes=range(10))
    if i == 300: held = model.coef_
die(1)
print("res", held.sum(), model.coef_.sum(), held is model.coef_)
open("accuracy.txt", "w").write("0.9")
"""
    case, plain = sklearn_lab.case(), sklearn_lab.case()
    script = case.add("s.py", START + code)
    assert case.train(script).code == 137
    second = case.train(script, attempt=2)
    expected = plain.train(plain.add("s.py", START + code), attempt=9)
    assert second.lines("res") == expected.lines("res")
    assert "holds on to parts of its SGDClassifier" in notes(case)
