"""What the tests of the store share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain.adapters.experiment_reading import ExperimentReader
from pushtrain.adapters.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that was begun."""
    store = Store(tmp_path / "store")
    store.begin()
    return store


@pytest.fixture
def reader(store: Store) -> ExperimentReader:
    return ExperimentReader(store)
