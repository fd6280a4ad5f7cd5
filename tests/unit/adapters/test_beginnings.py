"""What lies in a round's output folder before its container starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.records import attempt, experiment

from pushtrain.adapters.beginnings import INHERIT, REFERENCES, lay_beginnings
from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import Store
from pushtrain.contract import Cause, Experiment, Result, ScriptSettings, Split, Step
from pushtrain.history import Change, Tweak

ID = experiment().id
HEAD = "fit,epoch,attempt,loss,accuracy,val_loss,val_accuracy,seconds\n"


def made(**settings: Any) -> Experiment:
    return experiment(settings=ScriptSettings(**settings))


@pytest.fixture
def store(store: Store) -> Store:
    """Round 0 and 1 are trained, 2 failed, 3 and 4 are about to train side by side."""
    for number in range(5):
        store.prepare_output(ID, number)
        output = store.output_dir(ID, number)
        if number < 2:
            result = Result(1, 0.5 + number / 10, Split.TEST, artifact="model.keras")
            write_json(output / "result.json", result.to_dict())
            (output / "model.keras").write_text(f"weights of round {number}")
            (output / "history.csv").write_text(f"{HEAD}1,1,1,nan,0.{number + 1},,0.3,1\n")
            store.save_attempt(ID, number, attempt(1, ended_at=2.0, cause=Cause.FINISHED))
        if number:
            batch = 3 if number >= 3 else None
            tweak = Tweak(number, (Change("d", "units", 1, 2),), base=0, batch=batch)
            store.save_tweak(ID, tweak)
    failed = attempt(1, ended_at=2.0, cause=Cause.OUT_OF_MEMORY)
    store.save_attempt(ID, 2, failed)
    return store


def references(store: Store, number: int) -> list[dict[str, Any]]:
    record = json.loads((store.output_dir(ID, number) / REFERENCES).read_text())
    assert record["schema"] == 1
    curves: list[dict[str, Any]] = record["curves"]
    return curves


def test_the_curves_of_the_rounds_before_lie_there(store: Store) -> None:
    lay_beginnings(store, made(), Step(ID, 4, 1))
    first, second = references(store, 4)
    assert (first["round"], second["round"]) == (0, 1)
    assert (first["accuracy"], first["val_accuracy"], first["loss"]) == ([0.1], [0.3], [None])


def test_the_pushed_round_has_nothing_to_compare_with(store: Store) -> None:
    lay_beginnings(store, made(warm_start=True), Step(ID, 0, 1))
    names = {p.name for p in store.output_dir(ID, 0).iterdir()}
    assert names == {"result.json", "model.keras", "history.csv"}


def test_what_is_switched_off_is_taken_away_again(store: Store) -> None:
    lay_beginnings(store, made(warm_start=True), Step(ID, 3, 1))
    names = {p.name for p in store.output_dir(ID, 3).iterdir()}
    assert names == {REFERENCES, INHERIT}
    lay_beginnings(store, made(stop_hopeless=False), Step(ID, 3, 2))
    assert list(store.output_dir(ID, 3).iterdir()) == []


def test_a_warm_start_has_the_weights_that_were_changed(store: Store) -> None:
    lay_beginnings(store, made(warm_start=True), Step(ID, 3, 1))
    copy = store.output_dir(ID, 3) / INHERIT
    assert copy.read_text() == "weights of round 0"
    copy.write_text("trained on")
    assert (store.output_dir(ID, 0) / "model.keras").read_text() == "weights of round 0"


def test_no_weights_are_inherited_unless_wanted(store: Store) -> None:
    lay_beginnings(store, made(), Step(ID, 3, 1))
    assert not (store.output_dir(ID, 3) / INHERIT).exists()


@pytest.mark.parametrize("artifact", ["model.joblib", "", "../../../1/output/model.keras"])
def test_only_a_keras_model_of_the_round_itself_is_inherited(store: Store, artifact: str) -> None:
    path = store.output_dir(ID, 0) / "result.json"
    (store.output_dir(ID, 0) / "model.keras").unlink()
    write_json(path, Result(1, 0.5, Split.TEST, artifact=artifact).to_dict())
    lay_beginnings(store, made(warm_start=True), Step(ID, 3, 1))
    assert not (store.output_dir(ID, 3) / INHERIT).exists()


def test_a_link_to_somewhere_else_is_not_inherited(store: Store, tmp_path: Path) -> None:
    model = store.output_dir(ID, 0) / "model.keras"
    model.unlink()
    model.symlink_to("/etc/passwd")
    lay_beginnings(store, made(warm_start=True), Step(ID, 3, 1))
    assert not (store.output_dir(ID, 3) / INHERIT).exists()


def test_folders_and_links_that_user_code_left_in_the_way_lead_nowhere(
    store: Store, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ours")
    output = store.output_dir(ID, 3)
    (output / INHERIT).symlink_to(secret)
    lay_beginnings(store, made(warm_start=True), Step(ID, 3, 1))
    assert secret.read_text() == "ours"
    (output / INHERIT).unlink()
    (output / INHERIT).mkdir()
    lay_beginnings(store, made(warm_start=True), Step(ID, 3, 2))
    assert (output / INHERIT).is_dir()


def test_a_round_made_from_one_without_memory_inherits_from_the_best(store: Store) -> None:
    made_from = Tweak(3, (Change("b", "batch_size", 64, 32),), base=2)
    store.save_tweak(ID, made_from)
    lay_beginnings(store, made(warm_start=True), Step(ID, 3, 1))
    assert (store.output_dir(ID, 3) / INHERIT).read_text() == "weights of round 1"
