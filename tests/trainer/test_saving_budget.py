from __future__ import annotations

import pytest

from pushtrain_trainer.contract import ENV_CHECKPOINT_SECONDS
from pushtrain_trainer.saving_budget import CREDIT, SHARE, SavingBudget, checkpoint_seconds

LARGE = 10**9  # bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), ("0.05", 0.05), (None, 60.0), ("", 60.0), ("soon", 60.0), ("0", 60.0),
     ("-1", 60.0), ("nan", 60.0)],
)  # fmt: skip
def test_seconds_that_can_not_be_read_are_the_default(
    monkeypatch: pytest.MonkeyPatch, text: str | None, seconds: float
) -> None:
    monkeypatch.delenv(ENV_CHECKPOINT_SECONDS, raising=False)
    if text is not None:
        monkeypatch.setenv(ENV_CHECKPOINT_SECONDS, text)
    assert checkpoint_seconds() == seconds


def test_save_is_overdue_after_its_seconds() -> None:
    budget = SavingBudget(60, now=100)
    assert not budget.is_overdue(159.9)
    assert budget.is_overdue(160)
    budget.note_save(160)
    assert not budget.is_overdue(219.9)


def test_small_states_are_saved_at_each_epoch_and_large_ones_are_not() -> None:
    assert SavingBudget(60, now=0).is_affordable(0.1, 1000)
    assert not SavingBudget(60, now=0).is_affordable(0.1, LARGE)
    assert SavingBudget(10**6, now=0).is_affordable(10**4, LARGE)


@pytest.mark.parametrize("cost", [0.01, 0.3, 5.0])
def test_saves_take_no_more_than_their_share(cost: float) -> None:
    budget, saves, end = SavingBudget(10**6, now=0), 0, 2000
    for now in range(1, end):
        if budget.is_affordable(now, 100):
            budget.note_save(now)
            budget.note_cost(cost)
            saves += 1
    assert saves * cost <= max(cost, CREDIT + SHARE * end)
    assert saves * cost >= min(end * cost, SHARE * end) - cost, "less than it may"


def test_patience_is_used_up_and_grows_with_the_training() -> None:
    budget = SavingBudget(60, now=0)
    assert budget.patience(0) == pytest.approx(CREDIT)
    budget.note_wait(CREDIT)
    assert budget.patience(0) == 0
    assert budget.patience(100) > 0
