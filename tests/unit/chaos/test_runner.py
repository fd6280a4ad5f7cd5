from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.chaos.outcome import Outcome
from tests.chaos.runner import Runner
from tests.chaos.scenario import Scenario
from tests.chaos.setup import Setup
from tests.chaos.storm import FAMILIES, kills_of_each

GOOD = Outcome("", tried=1, recovered=1, epochs_twice=0, identical=True)


class Recorder(Setup):
    """A setup without an Airflow that notes in which order things happen."""

    def __init__(self, folder: Path, *, short: bool) -> None:
        super().__init__(folder, seed=1, kills=5, short=short)
        self.happened: list[str] = []

    def close_world(self) -> None:
        self.happened.append("closed")


def noting(name: str, **choices: object) -> Scenario:
    def run(setup: Setup) -> Outcome:
        assert isinstance(setup, Recorder)
        setup.happened.append(name)
        return GOOD

    return Scenario(name, run, **choices)  # type: ignore[arg-type]


def test_what_the_machine_lacks_something_for_has_a_row_and_is_not_run(tmp_path: Path) -> None:
    setup, disk = Recorder(tmp_path, short=False), noting("disk", lacking="needs root")
    runner = Runner(setup)
    runner.run([disk])
    (row,) = runner.rows([disk])
    assert row.outcome.not_run == "needs root"
    assert "disk" not in setup.happened


def test_the_full_form_runs_the_set_ups_one_after_the_other_and_storms_last(tmp_path: Path) -> None:
    setup = Recorder(tmp_path, short=False)
    storm, part = noting("storm", side_by_side=True), noting("part", needs_airflow=True)
    quick = noting("quick", needs_airflow=True, side_by_side=True)
    Runner(setup).run([storm, noting("disk"), part, quick])
    assert setup.happened == ["quick", "part", "closed", "disk", "closed", "storm"]


def test_the_short_form_runs_the_set_ups_beside_each_other(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(setup: Setup) -> Outcome:
        both.wait()
        return GOOD

    here, there = Scenario("here", meet, needs_airflow=True), Scenario("there", meet)
    runner = Runner(Recorder(tmp_path, short=True))
    runner.run([here, there])
    assert [row.outcome.is_good for row in runner.rows([here, there])] == [True, True]


def test_a_scenario_that_fails_has_a_row_and_the_next_one_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(setup: Setup) -> Outcome:
        raise AssertionError("lost a mail")

    bad, good = Scenario("bad", fail), noting("good")
    runner = Runner(Recorder(tmp_path, short=False))
    runner.run([bad, good])
    assert [row.outcome.is_good for row in runner.rows([bad, good])] == [False, True]
    assert "lost a mail" in capsys.readouterr().out


def test_the_short_form_kills_each_of_its_families(tmp_path: Path) -> None:
    assert kills_of_each(Recorder(tmp_path, short=True)) == 1
    assert kills_of_each(Recorder(tmp_path, short=False)) == 5
    assert [f.name for f in FAMILIES if not f.short] == ["large ann"]
