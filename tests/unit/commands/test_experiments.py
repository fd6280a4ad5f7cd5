from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit import records

from pushtrain.adapters.records import write_json, write_text
from pushtrain.adapters.store import Store
from pushtrain.commands.command import main
from pushtrain.contract import Result, Split, State
from pushtrain.history import Change, Refusal

ONE, TWO = "cnn_digits-0123abcd", "wine-0123abcd"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store(tmp_path / "store")
    store.begin()
    store.create_experiment(records.experiment(id=ONE, best_accuracy=0.5))
    store.create_experiment(
        records.experiment(id=TWO, script="wine.py", state=State.FAILED, reason="it broke")
    )
    for number, accuracy in enumerate((0.3, 0.5)):
        output = store.output_dir(ONE, number)
        output.mkdir(parents=True)
        write_json(output / "result.json", Result(1, accuracy, Split.TEST).to_dict())
        store.save_attempt(ONE, number, records.attempt(ended_at=1010.0))
        write_text(store.attempt_log(ONE, number, 1), f"log of round {number}\n")
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__STORE", str(store.root))
    return store


def test_status_lists_what_there_is(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert ONE in said
    assert "▁█" in said
    assert TWO in said


@pytest.mark.parametrize(
    ("arguments", "found"),
    [([], {ONE, TWO}), (["wine"], {TWO}), (["--state", "failed"], {TWO}), (["nobody"], set())],
)
def test_status_can_be_searched(
    store: Store, capsys: pytest.CaptureFixture[str], arguments: list[str], found: set[str]
) -> None:
    assert main(["status", "--json", *arguments]) == 0
    assert {e["id"] for e in json.loads(capsys.readouterr().out)} == found


def test_a_damaged_experiment_is_named(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    (store.experiment_dir(TWO) / "experiment.json").write_text("{")
    assert main(["status"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{TWO} can not be shown" in said
    assert ONE in said


def test_show_takes_the_beginning_of_an_id(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "cnn"]) == 0
    said = capsys.readouterr().out
    assert "round 0: 0.3000 on the test data" in said
    assert "round 1: 0.5000 on the test data" in said


def test_show_tells_what_could_not_be_built(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        change = Change("k", f"units to {number}", 3, 5)
        store.add_refusal(ONE, Refusal(number, (change,), {"k": 5}, "ValueError"))
    assert main(["show", ONE]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for number in (1, 2):
        assert f"not tried: units to {number}. It could not be built: ValueError" in said


def test_show_speaks_json(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", ONE, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["experiment"]["id"] == ONE
    assert [r["outcome"]["accuracy"] for r in record["rounds"]] == [0.3, 0.5]


@pytest.mark.parametrize(("arguments", "number"), [([], 1), (["--round", "0"], 0)])
def test_logs_are_those_of_the_round(
    store: Store, capsys: pytest.CaptureFixture[str], arguments: list[str], number: int
) -> None:
    assert main(["logs", ONE, *arguments]) == 0
    assert capsys.readouterr().out == f"log of round {number}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nobody"], "no experiment 'nobody'; there are:"),
        (["show", "cnm_digits-0123abcd"], ONE),
        (["logs", ONE, "--round", "7"], "round 7 was not started; there are: 0, 1"),
        (["status", "--store", "/nowhere"], "/nowhere is no store"),
    ],
)
def test_a_mistake_is_said_in_one_line(
    store: Store, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_an_ambiguous_beginning_names_both(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.create_experiment(records.experiment(id="cnn_wine-0123abcd"))
    assert main(["show", "cnn"]) == 2
    assert "cnn_digits-0123abcd, cnn_wine-0123abcd" in capsys.readouterr().err
