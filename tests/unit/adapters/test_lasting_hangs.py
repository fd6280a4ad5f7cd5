from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.records import attempt, experiment

from pushtrain.adapters import ending
from pushtrain.adapters.store import Store
from pushtrain.settings import Settings


@pytest.mark.parametrize(
    ("said", "hang"),
    [(["silent", "silent", ""], ""), (["silent"] * 100, "silent")],
    ids=["a disk that was full", "a hang"],
)
def test_only_a_hang_that_lasts_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str], hang: str
) -> None:
    store, made = Store(tmp_path), experiment()
    store.begin()
    store.create_experiment(made)
    store.save_attempt(made.id, 0, attempt(1))
    monkeypatch.setattr(ending, "_SECONDS_TO_BEAT", 0.1)
    monkeypatch.setattr(ending, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ending, "_hang", lambda *_: said.pop(0))
    assert ending._lasting_hang(Settings(), store, made.step) == hang
