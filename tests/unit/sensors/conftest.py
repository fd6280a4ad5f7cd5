from __future__ import annotations

import pytest

from pushtrain.sensors import begun_store


class Variables:
    """Airflow's variables, without its database."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str, default: str) -> str:
        return self.kept.get(key, default)

    def set(self, key: str, value: str, description: str) -> None:
        assert description
        self.kept[key] = value


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    made = Variables()
    monkeypatch.setattr(begun_store, "Variable", made)
    return made
