from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.outcome import Outcome
from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import SCENARIOS, chosen
from tests.chaos.setup import Setup


def run(setup: Setup) -> Outcome:
    raise AssertionError("only chosen here")


LONG = Scenario("full disk", run, short=False)
QUICK = Scenario("Scheduler", run)


def setup(folder: Path, seed: int = 3, *, short: bool = False) -> Setup:
    return Setup(folder, seed=seed, kills=5, short=short)


def test_the_short_form_leaves_out_what_is_not_part_of_it() -> None:
    assert chosen((LONG, QUICK), short=True) == [QUICK]
    assert chosen((LONG, QUICK), short=False) == [LONG, QUICK]


@pytest.mark.parametrize(
    ("only", "found"),
    [("disk", [LONG]), ("sched", [QUICK]), ("disk, scheduler", [LONG, QUICK])],
)
def test_a_part_of_a_name_finds_a_scenario_in_either_form(only: str, found: list[Scenario]) -> None:
    assert chosen((LONG, QUICK), short=True, only=only) == found


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'engine' is in no scenario.*full disk"):
        chosen((LONG, QUICK), short=False, only="disk, engine")


def test_a_seed_chooses_the_same_instants_whatever_ran_before(tmp_path: Path) -> None:
    first, second = setup(tmp_path), setup(tmp_path)
    second.random_of("another").random()
    assert first.random_of("worker").random() == second.random_of("worker").random()


def test_scenarios_and_seeds_choose_instants_of_their_own(tmp_path: Path) -> None:
    one = setup(tmp_path).random_of("worker").random()
    assert setup(tmp_path).random_of("scheduler").random() != one
    assert setup(tmp_path, seed=4).random_of("worker").random() != one


def test_the_short_form_tries_once(tmp_path: Path) -> None:
    assert setup(tmp_path, short=True).tries(5) == 1
    assert setup(tmp_path).tries(5) == 5


def test_every_scenario_has_a_name_of_its_own() -> None:
    names = [s.name for s in SCENARIOS]
    assert len(set(names)) == len(names)
