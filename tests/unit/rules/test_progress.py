from __future__ import annotations

from typing import Any

import pytest
from tests.unit.records import attempt, heartbeat

from pushtrain.contract import Attempt
from pushtrain.rules.progress import lost_by, place_of, saved_by


def ended(done: int = 0, work: float = 0.0, /, **beat: Any) -> Attempt:
    return attempt(1, epochs=done, work=work, reached=heartbeat(**beat) if beat else None)


@pytest.mark.parametrize(
    ("beat", "place"),
    [
        ({"fit": 1, "epoch": 3, "epochs": 10, "batch": 31, "batches": 100},
         "epoch 3 of 10, batch 31 of 100"),
        ({"fit": 2, "epoch": 3, "batch": 31}, "fit 2, epoch 3, batch 31"),
        ({"fit": 1, "epoch": 3, "epochs": 10}, "epoch 3 of 10"),
        ({"fit": 4}, "fit 4"),
        ({"phase": "script"}, ""),
    ],
)  # fmt: skip
def test_where_a_training_stood(beat: dict[str, Any], place: str) -> None:
    assert place_of(heartbeat(**beat)) == place


@pytest.mark.parametrize(
    ("attempt", "saved", "lost"),
    [
        (ended(2, 2.25, fit=1, epoch=3, epochs=10, batch=50, batches=100),
         "2.25 of 10 epochs", "0.2 epochs are trained again"),
        (ended(2, 2.0, fit=1, epoch=2, epochs=10, batch=100, batches=100),
         "2 of 10 epochs", "nothing was lost"),
        (ended(0, 0.0, fit=1, epoch=1, epochs=10, batch=90, batches=100),
         "", "0.9 epochs are trained again"),
        # of several fits nobody can tell what was behind the last checkpoint
        (ended(12, 12.0, fit=2, epoch=3, epochs=10, batch=5, batches=10), "12 epochs", ""),
        (ended(1, 1.0, fit=1, epoch=2, batch=5), "1 epoch", ""),
        (ended(3, 3.5), "3.5 steps", ""),
        (ended(), "", ""),
    ],
    ids=["part", "whole", "none", "second fit", "batches unknown", "no word", "nothing"],
)  # fmt: skip
def test_what_is_kept_and_what_is_done_again(attempt: Attempt, saved: str, lost: str) -> None:
    assert (saved_by([attempt]), lost_by(attempt)) == (saved, lost)


def test_what_steps_are_is_told_by_an_attempt_that_came_further() -> None:
    first, second = ended(2, 2.0, fit=1, epoch=3, epochs=10), ended(2, 2.0, phase="script")
    assert saved_by([first, second]) == "2 of 10 epochs"
    assert saved_by([second]) == "2 steps"
    assert saved_by([]) == ""
