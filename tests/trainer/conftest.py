from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.trainer.lab import Case, Lab

from pushtrain_trainer.beat import Beat
from pushtrain_trainer.fencing import Fence
from pushtrain_trainer.history_table import HistoryTable
from pushtrain_trainer.run_state import Run


def _lab(family: str, factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(family, factory.mktemp(family))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def sklearn_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from _lab("sklearn", tmp_path_factory)


@pytest.fixture(scope="session")
def ann_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from _lab("ann", tmp_path_factory)


@pytest.fixture(scope="session")
def cnn_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from _lab("cnn", tmp_path_factory)


@pytest.fixture
def sklearn_case(sklearn_lab: Lab) -> Case:
    return sklearn_lab.case()


@pytest.fixture
def ann_case(ann_lab: Lab) -> Case:
    return ann_lab.case()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run outside of containers, for unit tests; nothing is claimed or written yet."""
    fence = Fence(tmp_path, 1)
    return Run(
        output=tmp_path,
        root=tmp_path,
        script=tmp_path / "script.py",
        attempt=1,
        seed=1,
        history=HistoryTable(tmp_path),
        beat=Beat(tmp_path, 1, fence.check),
        fence=fence,
    )
