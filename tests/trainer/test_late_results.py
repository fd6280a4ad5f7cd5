from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.trainer.lab import Case

from pushtrain_trainer.contract import ExitCode
from pushtrain_trainer.late_results import put_aside


def kept(output: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (output / "late").glob("*")}


def test_result_of_an_older_attempt_is_kept_aside(tmp_path: Path) -> None:
    text = json.dumps({"attempt": 1, "accuracy": 0.9})
    (tmp_path / "result.json").write_text(text)
    put_aside(tmp_path, 3)
    assert not (tmp_path / "result.json").exists()
    assert kept(tmp_path) == {"1.json": text}


def test_result_of_the_same_attempt_is_removed(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"attempt": 3}))
    put_aside(tmp_path, 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ['{"attempt": 1', "[]", "{}", '{"attempt": "../1"}', '{"attempt": true}']
)
def test_result_of_nobody_knows_whom_is_numbered(tmp_path: Path, text: str) -> None:
    for _ in range(2):
        (tmp_path / "result.json").write_text(text)
        put_aside(tmp_path, 3)
    assert kept(tmp_path) == {"unknown-1.json": text, "unknown-2.json": text}
    assert not (tmp_path / "result.json").exists()


def test_result_that_can_not_be_kept_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"attempt": 1}))
    (tmp_path / "late").write_text("a file where the folder should be")
    put_aside(tmp_path, 2)
    assert not (tmp_path / "result.json").exists()


def test_without_a_result_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "result.json").symlink_to(tmp_path / "nowhere")
    put_aside(tmp_path, 2)
    put_aside(tmp_path, 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.docker
def test_new_attempt_writes_a_result_of_its_own(sklearn_case: Case) -> None:
    script = sklearn_case.add("s.py", "open('accuracy.txt', 'w').write('0.9')")
    assert sklearn_case.train(script, attempt=1).code == 0
    (sklearn_case.output / "model.joblib").write_text("of attempt 1")
    assert sklearn_case.train(script, attempt=2).code == 0
    assert sklearn_case.record("late/1.json")["attempt"] == 1
    assert sklearn_case.record("result.json")["attempt"] == 2
    assert not (sklearn_case.output / "model.joblib").exists()


HELD_WHILE_SAVING = """
import json, os, pathlib
from sklearn.linear_model import LogisticRegression
out = pathlib.Path(os.environ["PUSHTRAIN_OUTPUT"])
at_end = []

class Held(LogisticRegression):
    def __getstate__(self):
        if at_end and os.environ["PUSHTRAIN_ATTEMPT"] == "1":
            (out / "attempt.json").write_text(json.dumps({"attempt": 2}))
            (out / "model.joblib").write_text("of attempt 2")
        return super().__getstate__()

Held().fit([[0], [1]], [0, 1])
open("accuracy.txt", "w").write("0.9")
at_end.append(1)
"""


@pytest.mark.docker
def test_attempt_held_while_it_saves_leaves_the_newer_ones_model(sklearn_case: Case) -> None:
    script = sklearn_case.add("s.py", HELD_WHILE_SAVING)
    assert sklearn_case.train(script).code == ExitCode.SUPERSEDED
    output = sklearn_case.output
    assert (output / "model.joblib").read_text() == "of attempt 2"
    assert not (output / "result.json").exists()
    assert list(output.glob(".aside-*")) == []
    (output / ".aside-1-model.joblib").write_text("of one that was killed while it saved")
    assert sklearn_case.train(script, attempt=2).code == 0
    assert list(output.glob(".aside-*")) == []
    assert (output / "model.joblib").read_bytes() != b"of attempt 2"
