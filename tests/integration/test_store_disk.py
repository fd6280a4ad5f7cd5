"""The store on a real disk of its own that is full, read-only or not mounted."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.chaos.loop_store import LoopStore
from tests.unit.records import experiment

from pushtrain.adapters.outbox import PAUSE_SECONDS, outbox_of
from pushtrain.adapters.store import Store
from pushtrain.errors import OutsideError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks")
ID = experiment().id


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopStore]:
    made = LoopStore(tmp_path / "store.img", tmp_path / "store")
    made.make()
    store = Store(made.place)
    store.begin()
    store.create_experiment(experiment())
    yield made
    made.unmount()


def test_a_full_disk_costs_the_write_and_nothing_else(disk: LoopStore) -> None:
    store = Store(disk.place)
    disk.fill()
    with pytest.raises(OutsideError, match="make room"):
        store.update_experiment(ID, round=3)
    assert store.experiment(ID).round == 0
    assert {p.name for p in store.experiment_dir(ID).iterdir()} == {".lock", "experiment.json"}
    disk.free()
    assert store.update_experiment(ID, round=3).round == 3


def test_a_read_only_disk_is_named(disk: LoopStore) -> None:
    store = Store(disk.place)
    disk.remount("ro")
    with pytest.raises(OutsideError, match="read-only"):
        store.update_experiment(ID, round=3)
    disk.remount("rw")
    assert store.update_experiment(ID, round=3).round == 3


@pytest.mark.parametrize("how", ["full", "ro"])
def test_mails_of_a_disk_that_can_not_be_written_wait(disk: LoopStore, how: str) -> None:
    """Were they due, the monitor would run without a pause to send them."""
    outbox, sent = outbox_of(Store(disk.place)), list[EmailMessage]()

    def refuse(_: EmailMessage) -> None:
        raise ConnectionRefusedError

    outbox.post("a", EmailMessage())
    disk.fill() if how == "full" else disk.remount("ro")
    with pytest.raises((OSError, OutsideError)):
        outbox.flush(refuse)
    assert not outbox.is_due(time.time())
    disk.free() if how == "full" else disk.remount("rw")
    assert outbox.is_due(time.time() + PAUSE_SECONDS + 1)
    assert outbox.flush(sent.append) == 1


def test_what_is_held_open_survives_that_the_store_is_away(disk: LoopStore) -> None:
    store = Store(disk.place)
    with (disk.place / "held").open("wb", buffering=0) as held:
        disk.unmount()
        for act in (lambda: store.update_experiment(ID, round=3), lambda: store.experiment(ID)):
            with pytest.raises(OutsideError, match="mount it"):
                act()
        held.write(b"as a training's folders are")
        assert list(disk.place.iterdir()) == []
        disk.mount()
    assert (disk.place / "held").stat().st_size > 0
    assert store.experiment(ID).round == 0
