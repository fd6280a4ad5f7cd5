from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.model_repos import ModelRepo

from pushtrain.adapters.mirror import Mirror, repo_slug
from pushtrain.adapters.store import Store
from pushtrain.settings import Settings


@pytest.fixture
def repo(tmp_path: Path) -> ModelRepo:
    return ModelRepo(tmp_path / "models")


@pytest.fixture
def config(tmp_path: Path, repo: ModelRepo, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The operator's settings, as the tests hand them over and as `load()` finds them."""
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__STORE", str(tmp_path / "store"))
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__REPO_URL", repo.url)
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__ALLOW_FILE_URLS", "true")
    Store(tmp_path / "store").begin()
    return Settings(store=str(tmp_path / "store"), repo_url=repo.url, allow_file_urls=True)


@pytest.fixture
def store(config: Settings) -> Store:
    return Store(config.store_path)


@pytest.fixture
def mirror(store: Store, repo: ModelRepo) -> Mirror:
    return Mirror(store.mirror_dir(repo_slug(repo.url)), repo.url, allow_files=True)
