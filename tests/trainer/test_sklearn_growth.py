"""Kills long fits of ensembles under way: they go on and end as if nothing had been."""

from __future__ import annotations

import json
import re

import pytest
from tests.trainer.lab import Case, Lab, Training

pytestmark = [pytest.mark.docker, pytest.mark.slow]

RECORDS_BEFORE_DEATH = "15"
MOST_ATTEMPTS = 60
OFTEN = {"PUSHTRAIN_CHECKPOINT_SECONDS": "0.05"}


def until_the_end(case: Case, script: str) -> list[Training]:
    """Start again after each death, as the monitor does; return all trainings."""
    trainings: list[Training] = []
    while not trainings or trainings[-1].code == 137:
        assert len(trainings) < MOST_ATTEMPTS
        attempt = len(trainings) + 1
        trainings.append(case.train(script, RECORDS_BEFORE_DEATH, attempt=attempt))
    assert trainings[-1].code == 0, trainings[-1].stderr
    return trainings


def test_killed_ensembles_end_as_if_nothing_had_been(sklearn_lab: Lab) -> None:
    plain, case = sklearn_lab.case(), sklearn_lab.case()
    expected = plain.train(plain.add("growing.py"))
    assert expected.code == 0, expected.stderr
    case.environment = OFTEN
    trainings = until_the_end(case, case.add("growing.py"))
    assert len(trainings) > 1
    assert trainings[-1].lines("res") == expected.lines("res")
    assert case.record("result.json")["exact"] is True
    said = "".join(training.stdout for training in trainings)
    grown = re.findall(r"fit \d+ \((\w+)\) goes on behind the first \d+ of its parts", said)
    assert grown, said
    # what was grown is counted as progress, also when the whole took its place
    kept = len(list((case.output / "checkpoint" / "sklearn").glob("0*.json")))
    assert case.record("work.json")["work"]["fit"] + kept > 15 * (len(trainings) - 1)


LONG = """
import os, signal, threading, time
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC
x = np.random.rand(3000, 20)
y = np.random.randint(0, 2, 3000)
"""


def test_fit_that_can_not_grow_says_that_it_starts_again(sklearn_case: Case) -> None:
    code = (
        LONG
        + """
def die():
    os.kill(os.getpid(), signal.SIGKILL)
if os.environ["PUSHTRAIN_ATTEMPT"] == "1":
    threading.Timer(0.3, die).start()
SVC(C=100).fit(x, y) if os.environ["PUSHTRAIN_ATTEMPT"] == "2" else SVC(C=100).fit(
    np.tile(x, (10, 1)), np.tile(y, 10))
"""
    )
    script = sklearn_case.add("s.py", code)
    assert sklearn_case.train(script).code == 137
    sklearn_case.train(script, attempt=2)
    notes = sklearn_case.record("result.json")["notes"]
    assert "fit 1 (SVC) was interrupted and starts again from its beginning" in notes


def test_parts_of_other_data_are_not_used(sklearn_case: Case) -> None:
    sklearn_case.environment = OFTEN
    code = (
        LONG
        + """
x = x + int(os.environ["PUSHTRAIN_ATTEMPT"])
def die():
    while len(os.listdir(os.environ["PUSHTRAIN_OUTPUT"] + "/checkpoint/sklearn")) < 4:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)
if os.environ["PUSHTRAIN_ATTEMPT"] == "1":
    threading.Thread(target=die, daemon=True).start()
model = RandomForestClassifier(200).fit(x, y)
print("res", model.predict_proba(x).sum(), model.apply(x).sum(), flush=True)
"""
    )
    script = sklearn_case.add("s.py", code)
    assert sklearn_case.train(script).code == 137
    second = sklearn_case.train(script, attempt=2)
    notes = sklearn_case.record("result.json")["notes"]
    expected = "fit 1 (RandomForestClassifier) grows anew: its record is of another data"
    assert expected in notes
    fresh = sklearn_case.lab.case()
    assert second.lines("res") == fresh.train(fresh.add("s.py", code), attempt=2).lines("res")


def test_parts_are_told_as_batches_of_the_fit(sklearn_case: Case) -> None:
    code = (
        LONG
        + """
import json
def look():
    while True:
        beat = json.load(open(os.environ["PUSHTRAIN_OUTPUT"] + "/heartbeat.json"))
        if beat["phase"] == "fit" and beat["batch"]:
            print("beat", beat["batch"] <= beat["batches"] == 4000, beat["pace"] > 0, flush=True)
            return
        time.sleep(0.05)
threading.Thread(target=look, daemon=True).start()
RandomForestClassifier(4000).fit(x, y)
"""
    )
    training = sklearn_case.train(sklearn_case.add("s.py", code))
    assert training.lines("beat") == ["beat True True"], training.stderr
    beat = json.loads((sklearn_case.output / "heartbeat.json").read_text())
    assert (beat["batch"], beat["pace"]) == (0, 0.0)
