from __future__ import annotations

import pytest
from tests.unit.records import experiment, outcome

from pushtrain.rules.memory import needs_more, with_figures


@pytest.mark.parametrize(
    ("message", "held", "told"),
    [
        ("the memory limit of 64 MiB was hit", 0, "the memory limit of 64 MiB was hit"),
        ("the memory limit of 64 MiB was hit", 60,
         "the memory limit of 64 MiB was hit, 60 MiB were held"),
        ("a.py:3: MemoryError: no", 0, "a.py:3: MemoryError: no (64 MiB were allowed)"),
        ("a.py:3: MemoryError: no", 60,
         "a.py:3: MemoryError: no (64 MiB were allowed, 60 MiB were held)"),
    ],
)  # fmt: skip
def test_no_figure_is_told_twice_and_none_that_is_not_known(
    message: str, held: int, told: str
) -> None:
    assert with_figures(message, 64, held) == told


def test_who_gives_up_says_what_is_allowed_what_was_held_and_what_to_change() -> None:
    rounds = [
        outcome(0, None, failure="out of memory: first", out_of_memory=True),
        outcome(1, None, failure="out of memory: 2040 MiB were held", out_of_memory=True),
    ]
    told = needs_more(experiment(), rounds, "a batch of 4 is the smallest that is tried")
    assert told == (
        "it needs more than the 2048 MiB that it is allowed (round 1 ended: out of memory: "
        "2040 MiB were held; a batch of 4 is the smallest that is tried): raise `memory` in "
        "[tool.pushtrain], or make the model or the data that it holds at once smaller"
    )
