from __future__ import annotations

import random

import pytest
from tests.chaos.storm import Family, Tally, Undisturbed, drawn, outcome_of

ANN = Family("ann", "ann.py", "ann")
SKLEARN = Family("sklearn", "sklearn_search.py", "sklearn", at_risk=2)


@pytest.mark.parametrize(("hits", "is_good"), [(0, False), (3, False), (4, True), (8, True)])
def test_a_storm_shows_nothing_if_most_kills_missed_what_is_trained(
    hits: int, is_good: bool
) -> None:
    outcome = outcome_of(ANN, Tally(kills=8, recovered=8, in_fit=hits), trainings=2)
    assert outcome.is_good is is_good
    assert f"{hits} of" in (outcome.note if is_good else outcome.lost)


@pytest.mark.parametrize(
    ("family", "twice", "is_good"),
    [(ANN, 0, True), (ANN, 1, False), (SKLEARN, 8, True), (SKLEARN, 9, False)],
)
def test_only_what_a_kill_may_cost_by_design_is_forgiven(
    family: Family, twice: int, is_good: bool
) -> None:
    tally = Tally(kills=4, recovered=4, in_fit=4, twice=twice)
    outcome = outcome_of(family, tally, trainings=1)
    assert (outcome.epochs_twice, outcome.is_good) == (twice, is_good)


def test_the_storm_starts_its_containers_itself_and_does_not_boast_of_their_number() -> None:
    assert outcome_of(ANN, Tally(kills=1, in_fit=1), trainings=1).containers_once is None


def test_three_of_four_kills_are_drawn_from_what_is_fitted() -> None:
    plain, chance = Undisturbed(20.0, 5.0, {}), random.Random(1)
    instants = [drawn(number, plain, chance) for number in range(40)]
    assert sum(i.in_fit for i in instants) == 30
    assert max(i.seconds for i in instants if i.in_fit) <= 5.0
    assert max(i.seconds for i in instants if not i.in_fit) > 5.0
