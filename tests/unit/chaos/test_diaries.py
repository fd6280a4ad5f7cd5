from __future__ import annotations

import pytest
from tests.chaos.diaries import begun_epochs, finished, first_batch, trained_twice


def log(first: int, last: int, of: int = 10) -> list[str]:
    """Return what a process prints that finishes these epochs."""
    told = (
        (f"diary: epoch {epoch}", f"pushtrain: epoch {epoch}/{of} loss 0.5000")
        for epoch in range(first, last + 1)
    )
    return ["loading", *(line for lines in told for line in lines)]


@pytest.mark.parametrize(
    ("logs", "twice"),
    [
        ([log(1, 4), log(5, 10)], 0),
        # no checkpoint knew of epoch 4: its container had finished it all the same
        ([log(1, 4), log(4, 10)], 1),
        ([log(1, 4), log(1, 5), log(6, 10)], 4),
        ([log(1, 3), [*log(4, 5), *log(5, 10)]], 1),
        ([[*log(1, 6, of=6), *log(1, 2, of=24)], log(3, 24, of=24)], 0),
    ],
    ids=["at the next", "not saved", "from the beginning", "within one process", "two fits"],
)
def test_what_was_finished_and_is_finished_again_is_counted(
    logs: list[list[str]], twice: int
) -> None:
    assert trained_twice(logs) == twice


def test_an_epoch_that_was_begun_only_is_not_finished() -> None:
    assert trained_twice([[*log(1, 3), "diary: epoch 4"], log(4, 10)]) == 0


def test_a_script_without_epochs_tells_its_fits_itself() -> None:
    fold = "diary: done MLPClassifier() without 12.500"
    assert finished([fold, "pushtrain: fitted MLPClassifier"]) == ["MLPClassifier() without 12.500"]
    assert trained_twice([[fold], [fold]]) == 1


def test_the_first_batch_is_found_where_there_is_one() -> None:
    said = ["diary: epoch 1", "diary: first batch at 12.50", "diary: epoch 2"]
    assert first_batch(said) == 12.5
    assert first_batch(said[:1]) is None
    assert begun_epochs(said) == [1, 2]
