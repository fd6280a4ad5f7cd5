from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.git_heads import remote_head
from pushtrain.errors import OutsideError


def head_of(url: str, branch: str = "main", *, allow_files: bool = True) -> str | None:
    return asyncio.run(remote_head(url, branch, {}, allow_files=allow_files))


def test_head_is_the_last_commit_of_the_branch(tmp_path: Path) -> None:
    repo = ModelRepo(tmp_path / "models")
    repo.commit({"a.py": "1\n"})
    commit = repo.commit({"a.py": "2\n"})
    assert head_of(repo.url) == commit


def test_a_branch_that_is_not_there_has_no_head(tmp_path: Path) -> None:
    repo = ModelRepo(tmp_path / "models")
    assert head_of(repo.url) is None
    repo.commit({"a.py": "1\n"})
    assert head_of(repo.url, "other") is None


def test_a_branch_whose_name_ends_alike_is_another_one(tmp_path: Path) -> None:
    repo = ModelRepo(tmp_path / "models")
    commit = repo.commit({"a.py": "1\n"})
    repo.git("switch", "--quiet", "-c", "a/refs/heads/main")
    repo.commit({"a.py": "2\n"})
    assert head_of(repo.url) == commit


def test_a_repo_that_can_not_be_reached_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="ls-remote"):
        head_of(f"file://{tmp_path}/nothing")


def test_a_refused_transport_runs_no_command(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    for url in (f"ext::sh -c touch% {witness}", f"--upload-pack=touch {witness}"):
        with pytest.raises(OutsideError):
            head_of(url)
    assert not witness.exists()


def test_files_are_refused_unless_allowed(tmp_path: Path) -> None:
    repo = ModelRepo(tmp_path / "models")
    repo.commit({"a.py": "1\n"})
    with pytest.raises(OutsideError, match="not allowed"):
        head_of(repo.url, allow_files=False)
