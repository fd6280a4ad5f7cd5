from __future__ import annotations

import pytest
from tests.chaos.trainings import epochs_twice, first_batch, lost_mails

from pushtrain.contract import Attempt

END = "pushtrain: best model created: model_src/a.py, accuracy 0.9"
RESTART = "pushtrain: training restarted: model_src/a.py, round 0, attempt 2"
AGAIN = "pushtrain: training restarted: model_src/a.py, round 0, attempt 3"


def attempt(number: int, epochs: int) -> Attempt:
    return Attempt(number, f"a.r0.a{number}", "c", "i", "e", started_at=0.0, epochs=epochs)


def diary(first: int, last: int) -> list[str]:
    return ["loading", *(f"diary: epoch {epoch}" for epoch in range(first, last + 1))]


@pytest.mark.parametrize(
    ("begun", "twice"),
    [((4, 10), 0), ((3, 10), 1), ((1, 10), 3)],
    ids=["at the next epoch", "one epoch back", "from the beginning"],
)
def test_epochs_that_were_finished_and_begun_again_are_counted(
    begun: tuple[int, int], twice: int
) -> None:
    logs = {1: diary(1, 4), 2: diary(*begun)}
    assert epochs_twice([attempt(1, 3), attempt(2, 10)], logs) == twice


def test_an_epoch_that_one_process_trained_twice_is_counted() -> None:
    assert epochs_twice([attempt(1, 3)], {1: [*diary(1, 3), *diary(2, 3)]}) == 2


def test_the_first_batch_is_found_where_there_is_one() -> None:
    log = ["diary: epoch 1", "diary: first batch at 12.50", "diary: epoch 2"]
    assert first_batch(log) == 12.5
    assert first_batch(log[:1]) is None


@pytest.mark.parametrize(
    ("subjects", "restarts"),
    [([END], 0), ([RESTART, END], 1), ([RESTART, AGAIN, END], 2)],
)
def test_one_mail_per_incident_is_right(subjects: list[str], restarts: int) -> None:
    assert lost_mails(subjects, restarts) == ""


@pytest.mark.parametrize(
    ("subjects", "restarts", "said"),
    [
        ([RESTART, RESTART, END], 1, "mailed twice"),
        ([END, END], 0, "mailed twice"),
        ([RESTART, END], 2, "1 mails for 2 restarts"),
        ([RESTART], 1, "no mail of its end"),
    ],
)
def test_mails_that_are_missing_or_too_many_are_told(
    subjects: list[str], restarts: int, said: str
) -> None:
    assert said in lost_mails(subjects, restarts)
