"""What a chaos scenario shows: one row of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How trainings came through one way of dying.

    Attributes:
        scenario: What was killed or taken away, in a few words.
        tried: How many times.
        recovered: How many of them ended as an undisturbed training would have.
        epochs_twice: Epochs (or fits) that were finished, as their container said, and that a
            later one finished again; in all tries.
        identical: Whether weights, history and accuracy equal an undisturbed training's, bit by
            bit; None where the scenario has nothing to compare.
        seconds: From the kill to the first new batch (or fit) of each try; empty where the
            training went on undisturbed.
        lost: What was lost, in words; empty for nothing.
        containers_once: Whether exactly one container per attempt existed; None where it was not
            measured.
        epochs_at_risk: How many of them may be, by design.
        not_run: Why it was not even tried, in words.
        note: What else is worth knowing, such as how long Airflow took to notice.
    """

    scenario: str
    tried: int
    recovered: int
    epochs_twice: int
    identical: bool | None
    seconds: tuple[float, ...] = ()
    lost: str = ""
    containers_once: bool | None = None
    epochs_at_risk: int = 0
    not_run: str = ""
    note: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it was tried, and nothing was lost, done twice or changed."""
        return (
            not self.not_run
            and self.recovered == self.tried
            and self.epochs_twice <= self.epochs_at_risk
            and self.identical is not False
            and not self.lost
            and self.containers_once is not False
        )
