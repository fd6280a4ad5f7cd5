from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain.errors import OutsideError
from pushtrain.local.model_repo import ModelRepo, model_repo
from pushtrain.local.paths import Home


@pytest.fixture
def repo(tmp_path: Path) -> ModelRepo:
    made = model_repo(Home(tmp_path))
    made.make()
    return made


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "b.py").write_text("b = 1\n")
    (folder / "a.py").write_text("a = 1\n")
    (folder / "pyproject.toml").write_text("[tool.pushtrain]\n")
    return folder


def test_a_new_repo_holds_no_script(repo):
    assert repo.exists
    assert repo.git("ls-tree", "-r", "--name-only", "origin/main") == "README.md"


def test_examples_are_pushed_below_the_watched_path(repo, examples):
    assert repo.lay_examples(examples) == ["model_src/a.py", "model_src/b.py"]
    commit = repo.commit_and_push("Add two models")
    assert repo.git("rev-parse", "main", cwd=repo.bare) == commit
    listed = repo.git("ls-tree", "-r", "--name-only", "main", cwd=repo.bare).split()
    assert listed == ["README.md", "model_src/a.py", "model_src/b.py", "pyproject.toml"]


def test_configuration_of_the_user_has_no_effect(repo, examples, tmp_path, monkeypatch):
    (tmp_path / "gitconfig").write_text("[commit]\n\tgpgsign = true\n[user]\n\tname = Other\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    repo.lay_examples(examples)
    repo.commit_and_push("Add two models")
    assert repo.git("log", "-1", "--format=%an") == "Dana Scientist"


def test_making_it_again_starts_over(repo, examples):
    repo.lay_examples(examples)
    repo.commit_and_push("Add two models")
    repo.make()
    assert repo.git("rev-list", "--count", "origin/main") == "1"


def test_a_failed_command_says_what_git_said(repo):
    with pytest.raises(OutsideError, match="nothing to commit"):
        repo.git("commit", "-m", "empty")


def test_a_repo_that_was_made_in_part_does_not_exist(tmp_path):
    repo = model_repo(Home(tmp_path))
    repo.clone.mkdir(parents=True)
    assert not repo.exists
