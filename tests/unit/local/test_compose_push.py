from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain.local.compose_push import push
from pushtrain.local.model_repo import ModelRepo


@pytest.fixture
def repo(tmp_path: Path) -> ModelRepo:
    return ModelRepo(bare=tmp_path / "models.git", clone=tmp_path / "models")


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "one.py").write_text("print(1)\n")
    (folder / "two.py").write_text("print(2)\n")
    (folder / "pyproject.toml").write_text("[tool.pushtrain]\n")
    return folder


def test_first_push_names_every_script(repo: ModelRepo, examples: Path) -> None:
    assert push(repo, examples) == ["model_src/one.py", "model_src/two.py"]
    assert repo.git("ls-tree", "--name-only", "main", cwd=repo.bare).splitlines() == [
        "README.md",
        "model_src",
        "pyproject.toml",
    ]


def test_later_push_names_what_changed(repo: ModelRepo, examples: Path) -> None:
    push(repo, examples)
    (examples / "two.py").write_text("print(3)\n")

    assert push(repo, examples) == ["model_src/two.py"]


def test_push_of_nothing_new_makes_no_commit(repo: ModelRepo, examples: Path) -> None:
    push(repo, examples)
    before = repo.git("rev-parse", "main", cwd=repo.bare)

    assert push(repo, examples) == []
    assert repo.git("rev-parse", "main", cwd=repo.bare) == before
