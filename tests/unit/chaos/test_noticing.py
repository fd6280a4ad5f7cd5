from __future__ import annotations

import pytest
from tests.chaos.airflow_tasks import is_noticed, too_late


@pytest.mark.parametrize(
    ("noticed", "adopted", "told"),
    [
        (60.0, 105.0, ""),
        (61.0, 70.0, "noticed only after 61 s of 60"),
        (20.0, 66.0, "adopted only 46 s after the notice"),
    ],
)
def test_a_dead_worker_is_noticed_in_a_minute(noticed: float, adopted: float, told: str) -> None:
    assert too_late(noticed, adopted) == told


@pytest.mark.parametrize(
    ("number", "state", "known"),
    [(1, "running", False), (1, "up_for_retry", True), (2, "running", True)],
)
def test_a_death_is_noticed_once_the_first_try_is_over(
    number: int, state: str, known: bool
) -> None:
    assert is_noticed({"try_number": number, "state": state}) is known
