from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain.local.compose_images import content_digest
from pushtrain.local.compose_stack import is_well


@pytest.mark.parametrize(
    "status",
    ["Up 5 seconds (healthy)", "Up 2 hours", "Exited (0) 3 seconds ago"],
)
def test_status_of_a_service_that_is_well(status: str) -> None:
    assert is_well(status)


@pytest.mark.parametrize(
    "status",
    [
        "Up 5 seconds (health: starting)",
        "Up 2 minutes (unhealthy)",
        "Restarting (1) 4 seconds ago",
        "Exited (137) 4 seconds ago",
        "Created",
    ],
)
def test_status_of_a_service_that_is_not_well(status: str) -> None:
    assert not is_well(status)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "Dockerfile", tmp_path / "requirements.txt"]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_digest_stays_while_nothing_changes(files: list[Path]) -> None:
    before = content_digest(files, "sha256:1")
    files[0].touch()

    assert content_digest(files, "sha256:1") == before


def test_digest_follows_the_base_image(files: list[Path]) -> None:
    assert content_digest(files, "sha256:1") != content_digest(files, "sha256:2")


def test_digest_follows_the_content(files: list[Path]) -> None:
    before = content_digest(files, "sha256:1")
    files[1].write_text("other")

    assert content_digest(files, "sha256:1") != before
