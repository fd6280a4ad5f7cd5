from __future__ import annotations

import pytest
from tests.chaos.trainings import lost_mails

END = "pushtrain: best model created: model_src/a.py, accuracy 0.9"
RESTART = "pushtrain: training restarted: model_src/a.py, round 0, attempt 2"
AGAIN = "pushtrain: training restarted: model_src/a.py, round 0, attempt 3"


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
