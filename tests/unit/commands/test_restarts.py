from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit import records

from pushtrain.adapters.records import write_text
from pushtrain.adapters.store import Store
from pushtrain.commands.command import main
from pushtrain.contract import Cause, State

TWO = "wine-0123abcd"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store(tmp_path / "store")
    store.begin()
    failed = records.experiment(id=TWO, script="wine.py", state=State.FAILED, reason="it broke")
    store.create_experiment(failed)
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__STORE", str(store.root))
    return store


def test_restarts_are_told_with_their_causes(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = records.attempt(1, cause=Cause.KILLED, message="exit code 137", ended_at=1010.0)
    store.save_attempt(TWO, 0, killed)
    write_text(store.attempt_stack(TWO, 0, 1), "in a lock\n")
    store.update_experiment(TWO, restarts=1)
    assert main(["status"]) == 0
    assert "1 (1 killed)" in capsys.readouterr().out
    assert main(["show", TWO]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for told in ("restarts 1; 1 killed", "attempt 1: killed, exit code 137", "in a lock",
                 "to resume it:", f'{{"resume": "{TWO}"}}'):  # fmt: skip
        assert told in said
