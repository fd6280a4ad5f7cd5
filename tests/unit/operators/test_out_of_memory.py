"""The tasks between two trainings where memory ran out, on a real store and a real mirror."""

from __future__ import annotations

import subprocess

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.unit.model_repos import ModelRepo
from tests.unit.records import attempt

from pushtrain.adapters.mirror import EXPERIMENT_REFS, Mirror
from pushtrain.adapters.outbox import outbox_of
from pushtrain.adapters.records import write_json
from pushtrain.adapters.store import Store
from pushtrain.contract import Attempt, Cause, Result, Split, State, Step
from pushtrain.operators.choosing import choose_image
from pushtrain.operators.measuring import below_target, collect_metrics
from pushtrain.operators.opening import open_pushed
from pushtrain.operators.tweaking import tweak_model
from pushtrain.settings import Settings

SCRIPT = "model_src/ann.py"
KERAS = (
    "from keras import Input, Sequential\nfrom keras.layers import Dense\n"
    "m = Sequential([Input((8,)), Dense(16), Dense(3)])\nm.compile('adam', 'mse', ['accuracy'])\n"
    "m.fit(x, y, batch_size=64)\n"
)
SKLEARN = "from sklearn.svm import SVC\nm = SVC()\nm.fit(x, y)\n"
STARVED = "the memory limit of 2048 MiB was hit, 2040 MiB were held"


class Loop:
    """One experiment, and the tasks that follow a training of it."""

    def __init__(self, store: Store, step: Step) -> None:
        self.store, self.id = store, step.experiment
        choose_image(step)

    @property
    def step(self) -> Step:
        return self.store.experiment(self.id).step

    def end(self, *causes: Cause) -> None:
        """Let the rounds of the step that is under way end so."""
        for one, cause in zip(self.store.batch(self.step), causes, strict=True):
            self.store.prepare_output(self.id, one.round)
            if cause is Cause.FINISHED:
                path = self.store.output_dir(self.id, one.round) / "result.json"
                write_json(path, Result(1, 0.7, Split.TEST).to_dict())
            self.store.save_attempt(self.id, one.round, ended(cause))

    def go_on(self) -> None:
        """Run the tasks behind the training."""
        step = self.step
        collect_metrics(step)
        if below_target(step):
            tweak_model(step)

    def git(self, *arguments: str) -> str:
        experiment = self.store.experiment(self.id)
        mirror = self.store.mirror_dir(experiment.repo)
        command = ["git", "--git-dir", str(mirror), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def ended(cause: Cause) -> Attempt:
    return attempt(1, ended_at=1010.0, cause=cause, message=STARVED)


@pytest.fixture
def opened(repo: ModelRepo, config: Settings, store: Store, mirror: Mirror):
    def push(code: str = KERAS, settings: str = "max_rounds = 8") -> Loop:
        toml = f"[tool.pushtrain]\ntarget_accuracy = 0.99\n{settings}\n"
        repo.commit({SCRIPT: code, "pyproject.toml": toml})
        return Loop(store, open_pushed(config, store, mirror)[0])

    return push


def test_the_halved_batch_size_is_a_commit_of_its_own(opened) -> None:
    loop = opened()
    loop.end(Cause.OUT_OF_MEMORY)
    loop.go_on()
    assert loop.step == Step(loop.id, 1, 1)
    tweak = loop.store.tweak(loop.id, 1)
    assert tweak is not None
    assert (tweak.summary, tweak.base, tweak.strategy) == ("batch_size 64 -> 32", 0, "memory")
    message = loop.git("log", "-1", "--format=%B", tweak.commit)
    assert message.startswith("Round 1: batch_size 64 -> 32\n")
    text = " ".join(message.split())
    assert f"round 0 ran out of memory at batch size 64 ({STARVED})" in text
    assert "Round 0, which this starts from, ran out of memory; the target is 0.9900." in text
    diff = loop.git("show", "--format=", "-U0", tweak.commit, "--", SCRIPT).splitlines()[-2:]
    assert diff == ["-m.fit(x, y, batch_size=64)", "+m.fit(x, y, batch_size=32)"]
    assert loop.git("rev-parse", EXPERIMENT_REFS + loop.id).strip() == tweak.commit


def test_what_ran_out_of_memory_is_a_round_but_none_without_gain(opened) -> None:
    loop = opened(settings="max_rounds = 8\npatience = 1")
    for _ in range(3):
        loop.end(Cause.OUT_OF_MEMORY)
        loop.go_on()
    loop.end(Cause.FINISHED)
    loop.go_on()
    assert loop.store.experiment(loop.id).state is State.RUNNING
    assert [r.out_of_memory for r in loop.store.rounds(loop.id)][:4] == [True] * 3 + [False]
    assert loop.store.experiment(loop.id).best_round == 3


@pytest.mark.parametrize(
    ("code", "settings", "rounds", "why"),
    [
        (SKLEARN, "max_rounds = 8", 1, "no batch size in it can be halved"),
        (KERAS.replace("64", "5"), "max_rounds = 8", 2, "no batch size smaller than 4 is tried"),
        (KERAS, "max_rounds = 2", 2, "rounds used up"),
    ],
    ids=["no batch size", "smallest", "budget"],
)
def test_an_experiment_that_never_fits_fails_with_the_figures_and_is_mailed_once(
    opened, monkeypatch: pytest.MonkeyPatch, code: str, settings: str, rounds: int, why: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://127.0.0.1:1?timeout=1&retry_limit=0")
    loop = opened(code, settings)
    for _ in range(rounds - 1):
        loop.end(Cause.OUT_OF_MEMORY)
        loop.go_on()
    loop.end(Cause.OUT_OF_MEMORY)
    for _ in range(2):  # a crash behind it has the tasks done again
        with pytest.raises(AirflowFailException, match="2048 MiB that it is allowed"):
            loop.go_on()
    experiment = loop.store.experiment(loop.id)
    assert (experiment.state, experiment.settled, experiment.best_round) == (
        State.FAILED, True, None
    )  # fmt: skip
    assert experiment.reason == (
        f"it needs more than the 2048 MiB that it is allowed (round {rounds - 1} ended: out of "
        f"memory: {STARVED}; {why}): raise `memory` in [tool.pushtrain], or make the model or "
        "the data that it holds at once smaller"
    )
    assert len(loop.store.rounds(loop.id)) == rounds
    (mail,) = outbox_of(loop.store).waiting()
    text = mail.read_text()
    assert "training given up: model_src/ann.py" in text
    assert "2040 MiB were held" in text.replace("=\n", "").replace("\n", " ")


def test_a_past_task_that_a_person_cleared_ends_nothing(opened) -> None:
    loop = opened(SKLEARN)
    loop.end(Cause.OUT_OF_MEMORY)
    past = loop.step
    loop.store.update_experiment(loop.id, attempt=2)  # it was resumed meanwhile
    with pytest.raises(AirflowFailException):
        tweak_model(past)
    assert loop.store.experiment(loop.id).state is State.RUNNING


def test_a_tweak_without_memory_costs_one_more_round_then_the_best_goes_on(opened) -> None:
    loop = opened()
    loop.end(Cause.FINISHED)
    loop.go_on()
    for _ in range(2):
        loop.end(Cause.OUT_OF_MEMORY)
        loop.go_on()
    tweaks = [loop.store.tweak(loop.id, n) for n in (1, 2, 3)]
    assert [t.base for t in tweaks if t] == [0, 1, 0]
    assert [t.strategy for t in tweaks if t] == ["grow", "memory", "grow"]
    subjects = loop.git("log", "--reverse", "--format=%s", EXPERIMENT_REFS + loop.id)
    assert subjects.splitlines()[-2:] == ["Go back to round 0", f"Round 3: {tweaks[2].summary}"]


def test_one_candidate_without_memory_is_halved_beside_the_best_one_s_tweaks(opened) -> None:
    loop = opened(settings="candidates = 3")
    loop.end(Cause.FINISHED)
    loop.go_on()
    loop.end(Cause.FINISHED, Cause.OUT_OF_MEMORY, Cause.FINISHED)
    loop.go_on()
    tweaks = [loop.store.tweak(loop.id, n) for n in (4, 5, 6)]
    assert [(t.base, t.strategy) for t in tweaks if t] == [
        (2, "memory"), (loop.store.experiment(loop.id).best_round, "grow"),
        (loop.store.experiment(loop.id).best_round, "grow"),
    ]  # fmt: skip
    log = loop.git("log", "--format=%B", EXPERIMENT_REFS + loop.id)
    assert "Go back to round 2" in log
    assert "Round 2 ran out of memory; it is tried with smaller batches." in log
