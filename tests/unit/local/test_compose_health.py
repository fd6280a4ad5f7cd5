from __future__ import annotations

from typing import Any

import pytest

from pushtrain.local.compose_health import is_stuck


def looks(*seen: tuple[int, str, float]) -> list[bool]:
    """Return the verdicts of looks at a scheduler: start of the container, status, time."""
    state: dict[str, Any] = {}
    return [is_stuck(state, "scheduler", *look) for look in seen]


def test_a_part_that_hangs_is_stuck_after_its_patience():
    assert looks((1, "healthy", 0), (1, "unhealthy", 10), (1, "unhealthy", 99)) == [False] * 3
    assert looks((1, "healthy", 0), (1, "unhealthy", 10), (1, "unhealthy", 100))[-1]


def test_a_part_that_was_healthy_in_between_is_not():
    seen = [(1, "healthy", 0), (1, "unhealthy", 10), (1, "healthy", 50), (1, "unhealthy", 60)]
    assert looks(*seen, (1, "unhealthy", 140)) == [False] * 5


@pytest.mark.parametrize(("now", "is_it"), [(250, False), (400, True)])
def test_a_container_that_starts_is_given_more_time(now, is_it):
    # what the last container saw does not count: its files outlive it
    seen = [(1, "healthy", 0), (1, "unhealthy", 10), (2, "unhealthy", 100)]
    assert looks(*seen, (2, "unhealthy", now))[-1] is is_it
