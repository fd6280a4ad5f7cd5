from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.unit.sensors.conftest import Variables

from pushtrain.errors import OutsideError
from pushtrain.sensors.begun_store import VARIABLE, begun_store
from pushtrain.settings import Settings


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return Settings(store=str(tmp_path / "store"))


def test_a_new_store_is_begun_and_remembered(config: Settings, variables: Variables) -> None:
    assert begun_store(config).is_there()
    assert variables.kept == {VARIABLE: config.store}


def test_the_empty_place_of_a_known_store_is_no_store(config: Settings) -> None:
    store = begun_store(config)
    shutil.rmtree(store.experiments_dir)
    with pytest.raises(OutsideError, match=f"mount its disk.*delete.*{VARIABLE}"):
        begun_store(config)
    assert list(store.root.iterdir()) == []


def test_a_store_at_another_place_is_begun(
    config: Settings, variables: Variables, tmp_path: Path
) -> None:
    begun_store(config)
    other = Settings(store=str(tmp_path / "other"))
    assert begun_store(other).is_there()
    assert variables.kept == {VARIABLE: other.store}


def test_a_new_database_learns_of_the_store_that_is_there(
    config: Settings, variables: Variables
) -> None:
    begun_store(config)
    variables.kept.clear()
    begun_store(config)
    assert variables.kept == {VARIABLE: config.store}
