"""A training that the engine kills for its memory goes on with smaller batches, by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException
from docker import APIClient
from tests.integration.training_world import run
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters import engine
from pushtrain.adapters.mirror import Mirror, repo_slug
from pushtrain.adapters.store import Store
from pushtrain.contract import Attempt, Cause, Family, State, Step
from pushtrain.operators import training
from pushtrain.operators.choosing import choose_image
from pushtrain.operators.fetching import lay_out
from pushtrain.operators.measuring import below_target, collect_metrics
from pushtrain.operators.opening import open_pushed, resume
from pushtrain.operators.training import TrainingOperator
from pushtrain.operators.tweaking import tweak_model
from pushtrain.rules.request import Request
from pushtrain.settings import load

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::UserWarning")]

SCRIPT = "model_src/ann.py"
# Stands for Keras and the trainer: a fit holds one MiB for each sample of a batch.
STAND_IN = """\
import json, os, sys, types

class Anything:
    def __init__(self, *arguments, **named): pass
    def compile(self, *arguments, **named): pass
    def fit(self, x, y, epochs=1, batch_size=32):
        held = bytearray(batch_size * 2**20)
        attempt = int(os.environ["PUSHTRAIN_ATTEMPT"])
        record = {"attempt": attempt, "accuracy": 0.5 + 1 / batch_size, "split": "test"}
        json.dump(record, open("/output/result.json", "w"))

keras = types.ModuleType("keras")
keras.layers = types.ModuleType("keras.layers")
keras.Sequential = keras.Input = keras.layers.Dense = keras.layers.Dropout = Anything
sys.modules.update({"keras": keras, "keras.layers": keras.layers})
"""
CODE = """\
#!/usr/bin/env python3
import stand_in
from keras import Input, Sequential
from keras.layers import Dense

x, y = [1], [0]
m = Sequential([Input((8,)), Dense(16), Dense(3)])
m.compile("adam", "mse", ["accuracy"])
m.fit(x, y, epochs=2, batch_size=200)
"""


class Loop:
    """One pushed script, and the tasks of its steps one after the other."""

    def __init__(self, store: Store, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.id, self.monkeypatch = store, step.experiment, monkeypatch

    @property
    def step(self) -> Step:
        return self.store.experiment(self.id).step

    def do_step(self) -> None:
        """Train the rounds of the step that is under way and run what follows."""
        step = self.step
        self.monkeypatch.setattr(training, "required_step", lambda: step)
        batch = self.store.batch(step)
        for one in batch:
            lay_out(load(), self.store, one)
        choose_image(step)
        for one in batch:
            run(
                TrainingOperator(task_id="train_ann", family=Family.ANN, round_number=one.round),
                one,
            )
        collect_metrics(step)
        if below_target(step):
            tweak_model(step)

    def attempt(self, number: int) -> Attempt:
        return self.store.attempts(self.id, number)[-1]

    def changes(self) -> list[str]:
        tweaks = (self.store.tweak(self.id, r.round) for r in self.store.rounds(self.id))
        return [t.summary for t in tweaks if t]


@pytest.fixture
def pushed(
    tmp_path: Path, api: APIClient, image: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Loop]]:
    repo = ModelRepo(tmp_path / "models")
    for name, value in {
        "STORE": str(tmp_path / "store"), "REPO_URL": repo.url, "ALLOW_FILE_URLS": "true",
        "IMAGE_ANN": image,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AIRFLOW__PUSHTRAIN__{name}", value)
    config = load()
    store = Store(config.store_path)
    store.begin()
    made: list[str] = []

    def push(code: str = CODE, settings: str = "target_accuracy = 0.505") -> Loop:
        toml = f"[tool.pushtrain]\nmemory = 72\n{settings}\n"
        path = repo.folder / SCRIPT
        path.parent.mkdir()
        path.touch(mode=0o755)  # it is the program of its container
        repo.commit({SCRIPT: code, "model_src/stand_in.py": STAND_IN, "pyproject.toml": toml})
        mirror = Mirror(store.mirror_dir(repo_slug(repo.url)), repo.url, allow_files=True)
        step = next(s for s in open_pushed(config, store, mirror) if s.experiment.startswith("ann"))
        made.append(step.experiment)
        return Loop(store, step, monkeypatch)

    yield push
    for name in made:
        engine.remove_others(api, {"pushtrain.experiment": name}, keep="")


def test_a_training_that_the_engine_kills_for_its_memory_fits_with_half_the_batches(
    pushed: Callable[..., Loop],
) -> None:
    loop = pushed()
    for number in (0, 1):
        loop.do_step()
        assert loop.attempt(number).cause is Cause.OUT_OF_MEMORY
        assert loop.attempt(number).message == "the memory limit of 72 MiB was hit"
    loop.do_step()
    experiment = loop.store.experiment(loop.id)
    assert (experiment.state, experiment.best_round) == (State.REACHED, 2)
    assert experiment.restarts == 0
    assert loop.changes() == ["batch_size 200 -> 100", "batch_size 100 -> 50"]
    source = loop.store.source_dir(loop.id, 2) / SCRIPT
    assert source.read_text() == CODE.replace("200", "50")


def test_of_three_candidates_the_one_without_memory_is_tried_again(
    pushed: Callable[..., Loop],
) -> None:
    loop = pushed(CODE.replace("200", "40"), "candidates = 3\ntarget_accuracy = 0.99")
    loop.do_step()
    assert len(loop.store.batch(loop.step)) == 3
    hungry = loop.store.batch(loop.step)[1]
    lay_out(load(), loop.store, hungry)
    source = loop.store.source_dir(loop.id, hungry.round) / SCRIPT
    source.write_text(source.read_text().replace("x, y =", "held = bytearray(2**27)\nx, y ="))
    loop.do_step()
    trained = loop.store.rounds(loop.id)[:4]
    assert [r.out_of_memory for r in trained] == [False, False, True, False]
    following = loop.store.batch(loop.step)
    tweaks = [loop.store.tweak(loop.id, one.round) for one in following]
    assert [t.strategy for t in tweaks if t].count("memory") == 1
    assert next(t.base for t in tweaks if t and t.strategy == "memory") == hungry.round
    assert len(following) == 3


def test_what_never_fits_is_given_up_with_the_figures_and_resumed_with_more(
    pushed: Callable[..., Loop],
) -> None:
    loop = pushed(CODE.replace("200)", "200)  # pushtrain: keep"))
    with pytest.raises(AirflowFailException, match="more than the 72 MiB that it is allowed"):
        loop.do_step()
    failed = loop.store.experiment(loop.id)
    assert (failed.state, failed.settled) == (State.FAILED, True)
    assert "# pushtrain: keep" in failed.reason
    request = Request("resume", resume=loop.id, overrides={"memory": 400})
    assert resume(load(), loop.store, request) == Step(loop.id, 0, 2)
    loop.do_step()
    assert loop.attempt(0).cause is Cause.FINISHED
    assert loop.store.experiment(loop.id).state is State.REACHED
