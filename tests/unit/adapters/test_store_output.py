from __future__ import annotations

import pytest
from tests.unit.adapters.outputs import ID, put

from pushtrain.adapters.store import Store
from pushtrain.contract import Result, Split
from pushtrain.errors import StoreError


def test_a_heartbeat_is_what_the_trainer_said_last(store: Store) -> None:
    assert store.heartbeat(ID, 0) is None
    put(store, "heartbeat.json", '{"schema": 1, "attempt": 2, "at": 5.5, "epoch": 3, "later": 1}')
    beat = store.heartbeat(ID, 0)
    assert beat is not None
    assert (beat.attempt, beat.at, beat.epoch) == (2, 5.5, 3)


@pytest.mark.parametrize("text", ["{", '{"attempt": 1, "at": "now"}', '{"at": 1}'])
def test_a_heartbeat_that_user_code_damaged_is_none(store: Store, text: str) -> None:
    put(store, "heartbeat.json", text)
    assert store.heartbeat(ID, 0) is None


def test_a_result_comes_back(store: Store) -> None:
    assert store.result(ID, 0) is None
    put(store, "result.json", '{"attempt": 1, "accuracy": 0.5, "split": "test", "notes": ["x"]}')
    assert store.result(ID, 0) == Result(1, 0.5, Split.TEST, notes=("x",))


@pytest.mark.parametrize(
    "text", ['{"attempt": 1, "accuracy": NaN}', '{"attempt": 1, "accuracy": "1"}', "{}"]
)
def test_a_result_that_user_code_damaged_is_an_error(store: Store, text: str) -> None:
    path = put(store, "result.json", text)
    with pytest.raises(StoreError, match="is no result") as caught:
        store.result(ID, 0)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "epochs"),
    [("", 0), ("fit,epoch\n", 0), ("fit,epoch\n1,1\n1,2\n", 2), ("fit,epoch\n1,1\n1,", 1)],
)
def test_finished_epochs_are_the_whole_lines_of_the_curves(
    store: Store, text: str, epochs: int
) -> None:
    put(store, "history.csv", text)
    assert store.finished_epochs(ID, 0) == epochs


def test_the_work_of_a_round_counts_epochs_and_recorded_fits(store: Store) -> None:
    assert store.finished_work(ID, 0) == 0
    put(store, "history.csv", "fit,epoch\n1,1\n1,2\n")
    assert store.finished_work(ID, 0) == 2
    records = store.output_dir(ID, 0) / "checkpoint" / "sklearn"
    records.mkdir(parents=True)
    for name in ("000001.json", "000001.joblib", "000002.json", ".000003.json.part"):
        (records / name).write_text("{}")
    assert store.finished_work(ID, 0) == 4


@pytest.mark.parametrize(
    ("text", "work"),
    [
        ('{"schema": 1, "work": {"epoch": 0.25, "saves": 2}}', 3.25),
        ('{"schema": 1, "work": {"epoch": -1, "saves": NaN, "other": "much"}}', 1),
        (f'{{"schema": 1, "work": {{"epoch": {10**400}, "saves": 2}}}}', 3),
        ('{"schema": 1, "work": 7}', 1),
        ("damaged", 1),
    ],
    ids=["amounts", "no amounts", "too much", "no kinds", "damaged"],
)
def test_saved_work_adds_what_lies_beyond_finished_epochs(
    store: Store, text: str, work: float
) -> None:
    put(store, "history.csv", "fit,epoch\n1,1\n")
    put(store, "work.json", text)
    assert store.saved_work(ID, 0) == work


def test_no_curves_mean_no_finished_epochs(store: Store) -> None:
    assert store.finished_epochs(ID, 0) == 0
    put(store, "other", "").with_name("history.csv").symlink_to("/etc/passwd")
    assert store.finished_epochs(ID, 0) == 0
