"""A training that was paused while the next attempt took over writes nothing any more."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import APIClient
from tests.integration.training_world import World, wait_for
from tests.trainer.lab import image_of

from pushtrain.adapters import engine
from pushtrain.adapters.container_ends import end_of
from pushtrain.adapters.training_container import spec_of
from pushtrain.contract import Cause
from pushtrain.settings import load

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::UserWarning")]

# Each fit is a checkpoint and a heartbeat: wherever it is paused it writes soon after.
FITS = """
import numpy as np
from sklearn.linear_model import LogisticRegression
x = np.random.default_rng(1).random((200, 4))
y = (x.sum(axis=1) > 2).astype(int)
for number in range({fits}):
    model = LogisticRegression(C=1 + number).fit(x, y)
print("accuracy", model.score(x, y))
"""


def pause(api: APIClient, container: str) -> None:
    """Freeze all of its processes, as a host does that swaps or is cut off."""
    api.pause(container)


def go_on(api: APIClient, container: str) -> None:
    api.unpause(container)


def stop(api: APIClient, container: str) -> None:
    """Stop the trainer alone, as a terminal or a batch system does."""
    signal_all(api, container, "STOP")


def continue_(api: APIClient, container: str) -> None:
    signal_all(api, container, "CONT")


def signal_all(api: APIClient, container: str, name: str) -> None:
    """Signal all but the first process; the init can not be stopped from inside."""
    made = api.exec_create(container, ["python3", "-c", f"import os; os.kill(-1, {NUMBERS[name]})"])
    api.exec_start(made["Id"])


NUMBERS = {"STOP": 19, "CONT": 18}


def written(world: World) -> dict[str, str]:
    """Return what lies in the output folder, with the time of each file."""
    output = world.store.output_dir(world.id, 0)
    return {
        str(path.relative_to(output)): f"{path.stat().st_mtime_ns} "
        + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("hold", "release"),
    [pytest.param(pause, go_on, id="paused"), pytest.param(stop, continue_, id="stopped")],
)
def test_an_attempt_that_was_held_writes_nothing_when_it_goes_on(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    hold: Callable[[APIClient, str], None],
    release: Callable[[APIClient, str], None],
) -> None:
    image, store, api = image_of("sklearn"), world.store, world.api
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__IMAGE_SKLEARN", image)
    store.update_experiment(
        world.id, settings=dataclasses.replace(store.experiment(world.id).settings, memory=512)
    )
    world.program(FITS.format(fits=100_000))
    # without labels, as one on an engine that nobody reaches: so it is not removed
    spec = spec_of(api, load(), store, store.experiment(world.id), world.step(), image)
    old = engine.create(api, dataclasses.replace(spec, labels={}, name=f"{spec.name}-held"))
    try:
        api.start(old)
        records = store.output_dir(world.id, 0) / "checkpoint" / "sklearn"
        wait_for(lambda: records.is_dir() and len(list(records.glob("*.json"))) > 3)
        hold(api, old)

        store.update_experiment(world.id, attempt=2)
        world.program(FITS.format(fits=3))
        assert world.run(2) is not None
        before = written(world)

        release(api, old)
        wait_for(lambda: not api.inspect_container(old)["State"]["Running"])
        assert end_of(api, old).cause is Cause.SUPERSEDED
        assert b"attempt 2 took over, attempt 1 stops" in api.logs(old)
        assert written(world) == before
        beat, result = store.heartbeat(world.id, 0), store.result(world.id, 0)
        assert beat is not None
        assert result is not None
        assert (beat.attempt, result.attempt) == (2, 2)
    finally:
        engine.remove(api, old)


def test_a_late_result_is_not_taken_for_that_of_the_round(world: World, tmp_path: Path) -> None:
    """One that was held between its last look at the lease and the writing."""
    write = 'import json\nrecord = {"attempt": %d, "accuracy": 0.%d, "split": "test"}\n'
    write += 'json.dump(record, open("/output/result.json", "w"))\n'
    world.program(write % (1, 1))  # what the container of attempt 2 leaves is that of attempt 1
    world.store.update_experiment(world.id, attempt=2)
    with pytest.raises(Exception, match="without a result"):
        world.run(2)
    late = world.store.output_dir(world.id, 0) / "late" / "1.json"
    assert '"accuracy": 0.1' in late.read_text()
    assert world.store.result(world.id, 0) is None

    world.program(write % (3, 3))
    world.store.update_experiment(world.id, attempt=3)
    assert world.run(3) == 0.3
    (world.store.output_dir(world.id, 0) / "result.json").write_text(late.read_text())
    result = world.store.result(world.id, 0)
    assert result is not None
    assert result.accuracy == 0.3
