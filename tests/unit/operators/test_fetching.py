from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.unit import records
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.mirror import Mirror
from pushtrain.adapters.store import Store
from pushtrain.contract import Cause, Step
from pushtrain.errors import OutsideError
from pushtrain.history import Change, Tweak
from pushtrain.operators import fetching
from pushtrain.operators.fetching import fetch_code, lay_out, run_of
from pushtrain.operators.opening import open_pushed
from pushtrain.rules.request import Request
from pushtrain.settings import Settings

CODE = "from sklearn.neighbors import KNeighborsClassifier\nmodel = KNeighborsClassifier(1)\n"


@pytest.fixture
def step(repo: ModelRepo, config: Settings, store: Store, mirror: Mirror) -> Step:
    repo.commit({"model_src/a.py": CODE, "data/digits.csv": "1\n"})
    return open_pushed(config, store, mirror)[0]


def test_a_step_s_tree_is_laid_out(config: Settings, store: Store, step: Step) -> None:
    lay_out(config, store, step)
    source = store.source_dir(step.experiment, 0)
    assert (source / "model_src" / "a.py").read_text() == CODE
    assert (source / "data" / "digits.csv").read_text() == "1\n"
    assert store.output_dir(step.experiment, 0).is_dir()
    assert {p.name for p in source.parent.iterdir()} == {"source", "output"}


SAVES = """\
import os
from keras import Sequential, layers
from keras.models import load_model

if os.path.exists("mymodel.h5"):
    model = load_model("mymodel.h5")
else:
    model = Sequential([layers.Dense(16), layers.Dense(2)])
model.load_weights("pretrained.h5")
model.fit([[0.0]], [0])
model.save("mymodel.h5")
"""


def test_a_model_that_the_script_left_and_would_load_is_taken_out_and_told(
    repo: ModelRepo, config: Settings, store: Store, mirror: Mirror
) -> None:
    saved = {f"model_src/{name}": "x" for name in ("mymodel.h5", "pretrained.h5")}
    repo.commit({"model_src/a.py": SAVES, **saved})
    step = open_pushed(config, store, mirror)[0]
    lay_out(config, store, step)
    left = {p.name for p in (store.source_dir(step.experiment, 0) / "model_src").iterdir()}
    assert left == {"a.py", "pretrained.h5"}
    (note,) = store.experiment(step.experiment).notes
    assert note.startswith("model_src/mymodel.h5 is taken out before each round")
    assert "line 11" in note

    files = {"model_src/a.py": SAVES.replace("16", "32")}
    commit = mirror.commit_files(store.experiment(step.experiment).commit, files, "Grow\n")
    store.save_tweak(step.experiment, Tweak(1, (Change("k", "units", 16, 32),), commit=commit))
    lay_out(config, store, Step(step.experiment, 1, 1))
    left = {p.name for p in (store.source_dir(step.experiment, 1) / "model_src").iterdir()}
    assert left == {"a.py", "pretrained.h5"}
    assert store.experiment(step.experiment).notes == (note,)


def test_a_script_that_does_not_parse_is_laid_out_as_it_is(
    repo: ModelRepo, config: Settings, store: Store, mirror: Mirror
) -> None:
    repo.commit({"model_src/a.py": "x = (\n", "model_src/mymodel.h5": "x"})
    step = open_pushed(config, store, mirror)[0]
    lay_out(config, store, step)
    assert (store.source_dir(step.experiment, 0) / "model_src" / "mymodel.h5").exists()
    assert store.experiment(step.experiment).notes == ()


def test_a_tree_that_is_there_stays_as_the_training_left_it(
    config: Settings, store: Store, step: Step
) -> None:
    lay_out(config, store, step)
    mark = store.source_dir(step.experiment, 0) / "written_by_the_script"
    mark.write_text("x")
    lay_out(config, store, step)
    assert mark.exists()


def test_the_tree_of_a_later_round_is_the_tweak_s(
    config: Settings, store: Store, mirror: Mirror, step: Step
) -> None:
    pushed = store.experiment(step.experiment).commit
    files = {"model_src/a.py": CODE.replace("(1)", "(3)")}
    commit = mirror.commit_files(pushed, files, "Grow\n", "refs/pushtrain/e")
    changes = (Change("k", "n_neighbors 1 -> 3", 1, 3),)
    store.save_tweak(step.experiment, Tweak(1, changes, commit=commit))
    lay_out(config, store, Step(step.experiment, 1, 1))
    assert "(3)" in (store.source_dir(step.experiment, 1) / "model_src" / "a.py").read_text()


@pytest.mark.parametrize("name", ["give_to_training", "shutil"])
def test_a_crash_in_the_middle_leaves_a_round_that_can_be_laid_out(
    config: Settings, store: Store, step: Step, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def crash(*_: object, **__: object) -> None:
        nonlocal calls
        calls += 1
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fetching, name, crash)
        with pytest.raises((KeyboardInterrupt, AttributeError)):
            lay_out(config, store, step)
    lay_out(config, store, step)
    folders = (store.source_dir(step.experiment, 0), store.output_dir(step.experiment, 0))
    assert all(folder.is_dir() for folder in folders)
    assert {folder.stat().st_uid for folder in folders} != {0} or os.geteuid() != 0


def test_a_round_is_never_there_without_its_output_folder(
    config: Settings, store: Store, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source folder says that all is done, so it comes last."""
    seen: list[bool] = []
    rename = Path.rename

    def watched(self: Path, target: Path) -> Path:
        if target == store.source_dir(step.experiment, 0):
            seen.append(store.output_dir(step.experiment, 0).is_dir())
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", watched)
    lay_out(config, store, step)
    assert seen == [True]


def test_the_conf_of_a_step_names_it(store: Store) -> None:
    assert run_of(store, Step("a-1", 2, 3)) == {
        "trigger_run_id": "a-1.r2.a3",
        "conf": {"experiment": "a-1", "round": 2, "attempt": 3},
        "note": "",  # there is no such experiment
    }


def test_the_note_of_a_run_tells_what_it_trains(store: Store, step: Step) -> None:
    changes = (Change("k", "n_neighbors 1 -> 3", 1, 3),)
    store.save_tweak(step.experiment, Tweak(1, changes))
    store.update_experiment(step.experiment, best_accuracy=0.5)
    assert run_of(store, Step(step.experiment, 0, 1))["note"].startswith("round 0: the script as")
    note = run_of(store, Step(step.experiment, 1, 1))["note"]
    assert note == "round 1: n_neighbors 1 -> 3, accuracy 0.5 of 0.8 so far"


def test_the_note_of_a_restart_tells_how_the_attempt_before_ended(store: Store, step: Step) -> None:
    died = records.attempt(1, ended_at=1001.0, cause=Cause.KILLED, exit_code=137)
    store.save_attempt(step.experiment, 0, died)
    note = run_of(store, Step(step.experiment, 0, 2))["note"]
    assert note.startswith("attempt 2: starts anew; attempt 1 ended: killed (exit code 137)")


def test_a_step_fetches_its_own_tree_and_triggers_nothing(store: Store, step: Step) -> None:
    assert fetch_code(Request("step", step=step).to_dict()) == [0]
    assert store.source_dir(step.experiment, 0).is_dir()


def test_a_request_by_hand_triggers_its_scripts(repo: ModelRepo, store: Store) -> None:
    commit = repo.commit({"model_src/a.py": CODE})
    step = Step(f"a-{commit[:8]}", 0, 1)
    assert fetch_code(Request("manual", script="a.py").to_dict()) == [run_of(store, step)]


def test_a_push_triggers_what_changed_and_the_rest_of_the_watch(
    repo: ModelRepo, store: Store
) -> None:
    commit = repo.commit({"model_src/a.py": CODE})
    until = time.time() + 300
    first, watch = fetch_code(Request("push", until=until).to_dict())
    assert first == run_of(store, Step(f"a-{commit[:8]}", 0, 1))
    assert watch["conf"] == {"watch_until": until}
    assert watch["trigger_run_id"].startswith(f"watch.{until:.0f}.")
    assert watch["note"].startswith("watches until ")


def test_a_watch_whose_window_is_over_is_not_taken_on(repo: ModelRepo, config: Settings) -> None:
    repo.commit({"model_src/a.py": CODE})
    assert len(fetch_code(Request("push", until=time.time() - 1).to_dict())) == 1


@pytest.mark.parametrize(
    ("request_made", "says"),
    [
        (Request("manual", ref="nowhere"), "no such branch"),
        (Request("manual", script="b.py"), "is not in 'main'"),
        (Request("manual", repo_url="ext::sh -c x"), "repo_url"),
        (Request("step", step=Step("nothing-1", 0, 1)), "no such experiment"),
    ],
    ids=["ref", "script", "url", "step"],
)
def test_what_can_never_be_met_fails_for_good(
    repo: ModelRepo, config: Settings, request_made: Request, says: str
) -> None:
    repo.commit({"model_src/a.py": CODE})
    with pytest.raises(AirflowFailException, match=says):
        fetch_code(request_made.to_dict())


def test_a_repo_that_can_not_be_reached_is_left_to_the_retry(
    tmp_path: Path, config: Settings
) -> None:
    url = f"file://{tmp_path}/nothing"
    with pytest.raises(OutsideError):
        fetch_code(Request("manual", repo_url=url).to_dict())
