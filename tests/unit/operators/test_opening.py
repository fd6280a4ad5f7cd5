from __future__ import annotations

import pytest
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.mirror import EXPERIMENT_REFS, SEEN_REFS, Mirror
from pushtrain.adapters.store import Store
from pushtrain.contract import State, Step
from pushtrain.operators.opening import open_pushed
from pushtrain.settings import Settings

CODE = "from sklearn.neighbors import KNeighborsClassifier\nmodel = KNeighborsClassifier(1)\n"


@pytest.fixture
def look(config: Settings, store: Store, mirror: Mirror):
    def look_once() -> list[Step]:
        return open_pushed(config, store, mirror)

    return look_once


def names(steps: list[Step]) -> list[str]:
    return [step.experiment.rpartition("-")[0] for step in steps]


def test_the_first_look_opens_what_the_last_commit_changed(repo: ModelRepo, look) -> None:
    repo.commit({"model_src/old.py": CODE})
    commit = repo.commit({"model_src/knn.py": CODE})
    assert look() == [Step(f"knn-{commit[:8]}", 0, 1)]


def test_a_repo_of_one_commit_is_all_new(repo: ModelRepo, look) -> None:
    repo.commit({"model_src/a.py": CODE, "model_src/b.py": CODE})
    assert names(look()) == ["a", "b"]


def test_an_experiment_knows_who_pushed_what(repo: ModelRepo, store: Store, look) -> None:
    commit = repo.commit({"model_src/vision/knn.py": CODE}, "Try <b>one</b> neighbour\n\nBody")
    made = store.experiment(look()[0].experiment)
    assert made.id == f"vision--knn-{commit[:8]}"
    assert (made.script, made.commit, made.branch) == ("model_src/vision/knn.py", commit, "main")
    assert (made.author_name, made.author_email) == ("Ann Author", "ann@example.com")
    assert (made.subject, made.state) == ("Try <b>one</b> neighbour", State.RUNNING)
    assert (made.refused, made.reason) == (False, "")


def test_a_second_look_opens_nothing(repo: ModelRepo, look) -> None:
    repo.commit({"model_src/knn.py": CODE})
    assert look()
    assert look() == []


def test_a_look_that_was_cut_short_opens_nothing_twice(
    repo: ModelRepo, store: Store, mirror: Mirror, look
) -> None:
    first = repo.commit({"model_src/knn.py": CODE})
    second = repo.commit({"model_src/knn.py": CODE + "x = 1\n"})
    steps = look()
    made = store.experiment(steps[0].experiment)
    mirror.set_ref(SEEN_REFS + "main", first)  # as if it had not been written
    assert look() == steps == [Step(f"knn-{second[:8]}", 0, 1)]
    assert store.experiment(made.id) == made


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n" + CODE,
        CODE.replace("(1)", "( 1 )"),
        '"""What this is."""\n' + CODE,
        CODE + "\n\n\n",
    ],
    ids=["comment", "spaces", "docstring", "lines"],
)
def test_comments_and_formatting_start_nothing(repo: ModelRepo, look, text: str) -> None:
    repo.commit({"model_src/knn.py": CODE})
    look()
    repo.commit({"model_src/knn.py": text})
    assert look() == []


def test_several_changed_scripts_become_one_experiment_each(repo: ModelRepo, look) -> None:
    repo.commit({f"model_src/{n}.py": CODE for n in "abc"})
    look()
    repo.commit({"model_src/a.py": CODE + "x = 1\n", "model_src/c.py": CODE + "x = 1\n"})
    assert names(look()) == ["a", "c"]


def test_all_commits_of_a_push_count(repo: ModelRepo, look) -> None:
    repo.commit({"model_src/a.py": CODE, "model_src/b.py": CODE})
    look()
    repo.commit({"model_src/a.py": CODE + "x = 1\n"})
    head = repo.commit({"model_src/b.py": CODE + "x = 1\n"})
    assert look() == [Step(f"a-{head[:8]}", 0, 1), Step(f"b-{head[:8]}", 0, 1)]


def test_a_changed_module_opens_the_scripts_that_import_it(repo: ModelRepo, look) -> None:
    repo.commit(
        {
            "model_src/loading.py": "N = 1\n",
            "model_src/a.py": "from loading import N\n" + CODE,
            "model_src/b.py": CODE,
        }
    )
    assert names(look()) == ["a", "b"]
    repo.commit({"model_src/loading.py": "N = 2\n"})
    assert names(look()) == ["a"]


@pytest.mark.parametrize("path", ["other/a.py", "a.py", "model_src/data.csv", "model_src_2/a.py"])
def test_what_lies_elsewhere_or_is_no_script_starts_nothing(
    repo: ModelRepo, look, path: str
) -> None:
    repo.commit({"model_src/knn.py": CODE})
    look()
    repo.commit({path: CODE})
    assert look() == []


def test_a_deleted_script_starts_nothing(repo: ModelRepo, look) -> None:
    repo.commit({"model_src/a.py": CODE, "model_src/b.py": CODE})
    look()
    repo.commit({"model_src/a.py": None})
    assert look() == []


def test_a_script_that_is_no_python_is_opened_so_that_its_author_hears(
    repo: ModelRepo, look
) -> None:
    repo.commit({"model_src/bad.py": "print('a'\n"})
    assert names(look()) == ["bad"]


def test_branches_of_our_own_start_nothing(repo: ModelRepo, mirror: Mirror, look) -> None:
    pushed = repo.commit({"model_src/a.py": CODE})
    look()
    commit = mirror.commit_files(
        pushed, {"model_src/a.py": "x = 2\n"}, "Grow\n", "refs/pushtrain/e"
    )
    mirror.push(commit, "pushtrain/a")
    assert look() == []


def test_settings_of_the_model_repo_count(repo: ModelRepo, store: Store, look) -> None:
    text = '[tool.pushtrain]\npatience = 5\n[tool.pushtrain.scripts."a.py"]\nmemory = 512\n'
    repo.commit({"model_src/a.py": CODE, "pyproject.toml": text})
    settings = store.experiment(look()[0].experiment).settings
    assert (settings.patience, settings.memory) == (5, 512)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.pushtrain]\npatienc = 5\n", "did you mean 'patience'"),
        ("[tool.pushtrain\n", "is no TOML"),
        ("tool = 3\n", "have to be tables"),
        ("[tool.pushtrain]\nmemory = 99999999\n", "the operator allows 16384"),
        ("[tool.pushtrain]\ndata = ['/etc']\n", "the operator allows folders below: none"),
    ],
)
def test_wrong_settings_give_an_experiment_that_is_refused(
    repo: ModelRepo, store: Store, look, text: str, says: str
) -> None:
    repo.commit({"model_src/a.py": CODE, "pyproject.toml": text})
    made = store.experiment(look()[0].experiment)
    assert made.refused
    assert says in made.reason


def test_wrong_settings_of_one_script_do_not_stop_the_others(
    repo: ModelRepo, store: Store, look
) -> None:
    text = '[tool.pushtrain.scripts."a.py"]\npatience = 0\n'
    repo.commit({"model_src/a.py": CODE, "model_src/b.py": CODE, "pyproject.toml": text})
    assert [store.experiment(s.experiment).refused for s in look()] == [True, False]


def test_two_scripts_never_share_an_experiment(repo: ModelRepo, look) -> None:
    repo.commit({"model_src/a-b.py": CODE, "model_src/a/b.py": CODE, "model_src/a b.py": CODE})
    steps = look()
    assert len({step.experiment for step in steps}) == 3


def test_a_branch_that_was_rewritten_is_compared_with_what_was_seen(repo: ModelRepo, look) -> None:
    repo.commit({"model_src/a.py": CODE})
    repo.commit({"model_src/b.py": CODE})
    look()
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.commit({"model_src/c.py": CODE})
    assert names(look()) == ["c"]


def test_an_experiment_keeps_its_commit_when_the_branch_is_rewritten(
    repo: ModelRepo, mirror: Mirror, look
) -> None:
    repo.commit({"model_src/a.py": CODE})
    commit = repo.commit({"model_src/b.py": CODE})
    (step,) = look()
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.commit({"model_src/c.py": CODE})
    look()
    assert mirror.ref(EXPERIMENT_REFS + step.experiment) == commit
