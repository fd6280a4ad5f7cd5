from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit import records

from pushtrain.adapters.experiment_reading import ExperimentReader
from pushtrain.adapters.records import write_json, write_text
from pushtrain.adapters.store import Store
from pushtrain.contract import Result, Split
from pushtrain.errors import StoreError
from pushtrain.history import Change, Refusal

HEADER = "fit,epoch,attempt,loss,accuracy,val_loss,val_accuracy,seconds\n"


def started(store: Store, name: str = "digits-01234567", *, curves: str = "") -> str:
    store.create_experiment(records.experiment(id=name))
    output = store.output_dir(name, 0)
    output.mkdir(parents=True)
    write_json(output / "result.json", Result(1, 0.5, Split.TEST).to_dict())
    (output / "history.csv").write_text(HEADER + curves)
    store.save_attempt(name, 0, records.attempt())
    return name


def test_a_damaged_experiment_is_named_and_the_others_are_there(
    store: Store, reader: ExperimentReader
) -> None:
    good, bad = started(store, "good-1"), started(store, "bad-2")
    path = store.experiment_dir(bad) / "experiment.json"
    path.write_text("{")
    found, damaged = reader.experiments()
    assert [e.id for e in found] == [good]
    assert [d.id for d in damaged] == [bad]
    assert str(path) in damaged[0].message


def test_a_changed_record_is_read_again(store: Store, reader: ExperimentReader) -> None:
    name = started(store)
    assert reader.experiments()[0][0].round == 0
    store.update_experiment(name, round=3)
    assert reader.experiments()[0][0].round == 3


def test_accuracies_follow_the_results(store: Store, reader: ExperimentReader) -> None:
    name = started(store)
    store.output_dir(name, 1).mkdir(parents=True)
    assert reader.accuracies(name) == [0.5, None]
    write_json(store.output_dir(name, 1) / "result.json", Result(1, 0.7, Split.TEST).to_dict())
    assert reader.accuracies(name) == [0.5, 0.7]


def test_the_curves_are_read_and_half_a_row_is_left_out(
    store: Store, reader: ExperimentReader
) -> None:
    rows = "1,1,1,0.9,0.5,,,2.5\n1,2,2,nan,0.6,0.8,0.55,2.4\n1,3,"
    details = reader.details(started(store, curves=rows))
    first, second = details.rounds[0].epochs
    assert (first.epoch, first.loss, first.val_loss, first.seconds) == (1, 0.9, None, 2.5)
    assert (second.attempt, second.loss, second.val_accuracy) == (2, None, 0.55)


def test_a_damaged_result_is_told_and_the_rest_is_shown(
    store: Store, reader: ExperimentReader
) -> None:
    name = started(store, curves="1,1,1,0.9,0.5,,,2.5\n")
    (store.output_dir(name, 0) / "result.json").write_text('{"attempt": "x"}')
    (one,) = reader.details(name).rounds
    assert one.result is None
    assert len(one.epochs) == 1
    assert "result.json" in one.damage[0]
    assert reader.accuracies(name) == [None]


def test_curves_that_are_a_link_are_not_followed(
    store: Store, reader: ExperimentReader, tmp_path: Path
) -> None:
    name = started(store)
    secret = tmp_path / "secret"
    secret.write_text(HEADER + "1,1,1,0.9,0.5,,,2.5\n")
    curves = store.output_dir(name, 0) / "history.csv"
    curves.unlink()
    curves.symlink_to(secret)
    (one,) = reader.details(name).rounds
    assert one.epochs == ()
    assert one.damage


def test_the_log_of_the_last_attempt_is_there(store: Store, reader: ExperimentReader) -> None:
    name = started(store)
    write_text(store.attempt_log(name, 0, 1), "the last words\n")
    assert reader.details(name).rounds[0].last_lines == "the last words\n"


def test_tweaks_that_could_not_be_built_are_read(store: Store, reader: ExperimentReader) -> None:
    name = started(store)
    refused = [
        Refusal(n, (Change("k", f"kernel_size {n}", 3, 5),), {"k": 5}, "ValueError") for n in (0, 1)
    ]
    for one in refused:
        store.add_refusal(name, one)
    details = reader.details(name)
    assert details.rounds[0].refusals == (refused[0],)
    assert details.never_made == (refused[1],)
    assert details.refusals == tuple(refused)


def test_a_store_that_is_not_mounted_is_no_store_without_experiments(
    store: Store, reader: ExperimentReader
) -> None:
    assert reader.experiments() == ([], [])
    store.experiments_dir.rmdir()
    found, damaged = reader.experiments()
    assert not found
    assert [d.id for d in damaged] == ["The store"]
    assert "mount it" in damaged[0].message


def test_what_does_not_exist_is_an_error(reader: ExperimentReader) -> None:
    with pytest.raises(StoreError, match="no such experiment"):
        reader.details("nobody-1")


def test_reading_writes_nothing(store: Store, reader: ExperimentReader) -> None:
    name = started(store)
    before = sorted((p, p.lstat().st_mtime_ns) for p in store.root.rglob("*"))
    reader.experiments()
    reader.accuracies(name)
    reader.details(name)
    assert sorted((p, p.lstat().st_mtime_ns) for p in store.root.rglob("*")) == before
    assert os.path.isdir(store.root)
