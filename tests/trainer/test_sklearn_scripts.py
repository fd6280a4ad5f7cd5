from __future__ import annotations

import json

import pytest
from tests.trainer.lab import Case, Lab

pytestmark = pytest.mark.docker

DIGITS = """
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
model = KNeighborsClassifier(n_neighbors=5)
"""
FIT = "model.fit(x_train, y_train)\n"


@pytest.mark.parametrize(
    ("code", "split", "source"),
    [
        pytest.param("model.score(x_test, y_test)", "test", "score", id="score"),
        pytest.param("model.score(x_train, y_train)", "train", "score", id="score on train"),
        pytest.param(
            "accuracy_score(y_test, model.predict(x_test))", "test", "accuracy_score", id="metric"
        ),
        pytest.param(
            "model.score(x_test, y_test); model.score(x_train, y_train)",
            "test",
            "score",
            id="test counts before train",
        ),
        pytest.param(
            "cross_val_score(model, x, y, cv=3)", "validation", "cross_val_score", id="folds"
        ),
        pytest.param(
            "model = make_pipeline(StandardScaler(), model).fit(x_train, y_train)\n"
            "model.score(x_test, y_test)",
            "test",
            "score",
            id="pipeline",
        ),
        pytest.param(
            "model = GridSearchCV(model, {'n_neighbors': [1, 3]}, cv=3).fit(x_train, y_train)",
            "validation",
            "best_score_",
            id="search",
        ),
    ],
)
def test_accuracy_of_a_script_is_found(
    sklearn_case: Case, code: str, split: str, source: str
) -> None:
    script = sklearn_case.add("knn.py", f"{DIGITS}{FIT}{code}\n")
    training = sklearn_case.train(script)
    result = sklearn_case.record("result.json")
    assert training.code == 0, training.stderr
    assert (result["split"], result["source"]) == (split, source)
    assert 0.9 < result["accuracy"] < 1.0
    last = f"accuracy {result['accuracy']:.4f} ({split}, {source})"
    assert training.stdout.splitlines()[-1] == last
    assert result["artifact"] == "model.joblib"
    assert result["artifact_bytes"] == (sklearn_case.output / "model.joblib").stat().st_size


@pytest.mark.parametrize("text", ["97", "97 %", "0.97"])
def test_accuracy_file_counts(sklearn_case: Case, text: str) -> None:
    code = f"open('accuracy.txt', 'w').write({text!r})"
    script = sklearn_case.add("model_src/knn.py", f"{DIGITS}{FIT}{code}\n")
    assert sklearn_case.train(script).code == 0
    result = sklearn_case.record("result.json")
    assert (result["accuracy"], result["split"]) == (0.97, "test")
    assert result["source"] == "model_src/accuracy.txt"
    assert "word alone" in " ".join(result["notes"])


def test_accuracy_file_that_was_there_before_does_not_count(sklearn_case: Case) -> None:
    sklearn_case.add("accuracy.txt", "0.99")
    script = sklearn_case.add("knn.py", DIGITS + FIT)
    assert sklearn_case.train(script).code == 11


def test_file_that_the_script_left_open_is_read(sklearn_case: Case) -> None:
    script = sklearn_case.add("w.py", "f = open('result.txt', 'w')\nf.write('accuracy: 91.5 %')\n")
    assert sklearn_case.train(script).code == 0
    assert sklearn_case.record("result.json")["accuracy"] == 0.915


def test_script_without_a_metric_says_what_would_have_been_taken(sklearn_case: Case) -> None:
    training = sklearn_case.train(sklearn_case.add("knn.py", DIGITS + FIT))
    assert training.code == 11
    last = training.stdout.splitlines()[-1]
    assert last.startswith("pushtrain: no metric")
    assert "accuracy.txt" in last
    result = sklearn_case.record("result.json")
    assert (result["accuracy"], result["split"], result["error"]) == (None, None, None)
    assert result["artifact"] == "model.joblib"


def test_error_names_file_and_line_without_our_frames(sklearn_case: Case) -> None:
    sklearn_case.add("model_src/helper.py", "def half(n):\n    return n / 0\n")
    script = sklearn_case.add("model_src/bad.py", "import helper\n\nhelper.half(3)\n")
    training = sklearn_case.train(script)
    error = sklearn_case.record("result.json")["error"]
    assert training.code == 10
    assert (error["type"], error["file"], error["line"]) == (
        "ZeroDivisionError",
        "model_src/helper.py",
        2,
    )
    assert "bad.py" in error["traceback"]
    assert "pushtrain_trainer" not in error["traceback"]
    assert "script error at model_src/helper.py:2" in training.stdout


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("import sys; sys.exit(3)", 10), ("import sys; sys.exit('no data')", 10), ("exit(0)", 11)],
)
def test_exit_of_the_script(sklearn_case: Case, code: str, exit_code: int) -> None:
    assert sklearn_case.train(sklearn_case.add("leave.py", code)).code == exit_code
    error = sklearn_case.record("result.json")["error"]
    assert (error is None) == (exit_code == 11)


def test_syntax_error_names_its_line(sklearn_case: Case) -> None:
    assert sklearn_case.train(sklearn_case.add("bad.py", "x = 1\nif x\n")).code == 10
    error = sklearn_case.record("result.json")["error"]
    assert (error["type"], error["file"], error["line"]) == ("SyntaxError", "bad.py", 2)


def test_missing_library_says_what_the_image_has(sklearn_case: Case) -> None:
    assert sklearn_case.train(sklearn_case.add("net.py", "import torch\n")).code == 10
    message = sklearn_case.record("result.json")["error"]["message"]
    assert "No module named 'torch': this image has sklearn," in message


def test_missing_script_is_a_usage_error(sklearn_case: Case) -> None:
    sklearn_case.add("there.py", "")
    training = sklearn_case.train("gone.py")
    assert training.code == 12
    assert "there.py" in training.stderr


def test_script_sees_itself_as_main_in_its_own_folder(sklearn_case: Case) -> None:
    sklearn_case.add("sub/mate.py", "VALUE = 0.5\n")
    code = """
import os, sys, mate
print("me", __name__, os.path.basename(__file__), sys.argv, os.path.basename(os.getcwd()))
class Own: pass
import pickle; pickle.dumps(Own())
open("accuracy.txt", "w").write(str(mate.VALUE))
"""
    training = sklearn_case.train(sklearn_case.add("sub/me.py", code), "--fast")
    assert training.code == 0, training.stderr
    assert training.lines("me ") == ["me __main__ me.py ['me.py', '--fast'] sub"]


def test_superseded_attempt_stops_without_a_result(sklearn_case: Case) -> None:
    (sklearn_case.output / "attempt.json").write_text(json.dumps({"attempt": 2}))
    script = sklearn_case.add("knn.py", "raise SystemExit('must not run')\n")
    assert sklearn_case.train(script, attempt=1).code == 13
    assert not (sklearn_case.output / "result.json").exists()


def test_attempt_that_is_superseded_under_way_writes_no_result(sklearn_case: Case) -> None:
    code = """
import json, os
with open(os.path.join(os.environ["PUSHTRAIN_OUTPUT"], "attempt.json"), "w") as f:
    json.dump({"attempt": 2}, f)
open("accuracy.txt", "w").write("0.9")
"""
    assert sklearn_case.train(sklearn_case.add("late.py", code), attempt=1).code == 13
    assert not (sklearn_case.output / "result.json").exists()


def test_request_for_a_window_is_left_out(sklearn_case: Case) -> None:
    code = """
import matplotlib
matplotlib.use("TkAgg")
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.show()
print("back end", matplotlib.get_backend().lower())
"""
    training = sklearn_case.train(sklearn_case.add("plot.py", code))
    assert training.lines("back end") == ["back end agg"], training.stderr


def test_stale_result_is_removed_at_the_start(sklearn_case: Case) -> None:
    (sklearn_case.output / "result.json").write_text("{}")
    code = """
import os
print("stale", os.path.exists(os.path.join(os.environ["PUSHTRAIN_OUTPUT"], "result.json")))
"""
    assert sklearn_case.train(sklearn_case.add("s.py", code)).lines("stale") == ["stale False"]


def test_checkpoints_on_disk(sklearn_lab: Lab) -> None:
    case = sklearn_lab.case()
    training = case.train(case.add("checkpoint_checks.py"))
    # it measures nothing, so a normal end is "no metric"
    assert training.code == 11, training.stderr
    assert training.lines("all well") == ["all well 3"]
