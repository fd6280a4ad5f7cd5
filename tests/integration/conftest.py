"""What the tests with real containers share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from tests.integration.containers import RUN, Start, spec
from tests.integration.training_world import World

from pushtrain.adapters import engine
from pushtrain.local.base_image import ensure_base
from pushtrain.local.paths import Home
from pushtrain.settings import Settings


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    return ensure_base(Home(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def api() -> Iterator[APIClient]:
    client = APIClient(base_url=Settings().docker_url, version="auto")
    yield client
    engine.remove_others(client, {"pushtrain.test": RUN}, keep="")


@pytest.fixture
def start(api: APIClient, image: str) -> Start:
    def start_one(*command: str, **fields: object) -> str:
        made = engine.create(api, spec(image, *command, **fields))
        api.start(made)
        return made

    return start_one


@pytest.fixture
def world(
    tmp_path: Path, api: APIClient, image: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__STORE", str(tmp_path / "store"))
    monkeypatch.setenv("AIRFLOW__PUSHTRAIN__IMAGE_SKLEARN", image)
    made = World(tmp_path / "store", api, monkeypatch)
    yield made
    engine.remove_others(api, {"pushtrain.experiment": made.id}, keep="")
