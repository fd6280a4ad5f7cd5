"""Files that a training leaves in its output folder."""

from __future__ import annotations

from pathlib import Path

from tests.unit.records import experiment

from pushtrain.adapters.store import Store

ID = experiment().id


def put(store: Store, name: str, text: str, number: int = 0) -> Path:
    path = store.output_dir(ID, number) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
