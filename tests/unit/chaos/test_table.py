from __future__ import annotations

import dataclasses

import pytest
from tests.chaos.__main__ import exit_code
from tests.chaos.outcome import Outcome
from tests.chaos.table import (
    Row,
    failed,
    markdown_table,
    not_run,
    slowest,
    text_table,
    told_seconds,
)

GOOD = Outcome(
    "worker",
    tried=2,
    recovered=2,
    epochs_twice=0,
    identical=True,
    seconds=(3.0, 9.0),
    containers_once=True,
    note="60 s",
)


def test_a_row_tells_all_figures_of_its_scenario() -> None:
    heading, row, *_ = text_table([Row(GOOD, 20.0)]).splitlines()
    assert heading.split()[0] == "scenario"
    assert row.split() == [
        "worker", "2", "2", "0", "yes", "6.0,", "at", "most", "9.0", "nothing", "yes",
        "20", "s",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"recovered": 1},
        {"epochs_twice": 1},
        {"identical": False},
        {"lost": "a mail"},
        {"containers_once": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_good_is_marked(change: dict[str, object]) -> None:
    outcome = dataclasses.replace(GOOD, **change)
    assert "NOT GOOD" in text_table([Row(outcome, 1.0)])


def test_what_is_good_is_not_marked() -> None:
    nothing_to_compare = dataclasses.replace(GOOD, identical=None)
    assert "NOT GOOD" not in text_table([Row(GOOD, 1.0), Row(nothing_to_compare, 1.0)])


@pytest.mark.parametrize(
    ("seconds", "told"),
    [((), "undisturbed"), ((4.25,), "4.2"), ((1.0, 2.0, 30.0), "2.0, at most 30.0")],
)
def test_seconds_are_told_as_median_and_maximum(seconds: tuple[float, ...], told: str) -> None:
    assert told_seconds(seconds) == told


def test_a_scenario_that_failed_tells_why_and_nothing_else() -> None:
    outcome = failed("worker", RuntimeError("no answer\nmuch evidence"))
    assert not outcome.is_good
    assert outcome.lost == "RuntimeError: no answer"
    (row,) = text_table([Row(outcome, 1.0)]).splitlines()[1:]
    assert "undisturbed" not in row


def test_what_was_not_measured_is_not_told_as_good() -> None:
    (row,) = text_table([Row(failed("worker", RuntimeError("no answer")), 1.0)]).splitlines()[1:]
    assert "yes" not in row


def test_what_could_not_be_run_is_in_the_table_and_not_good() -> None:
    outcome = not_run("disk full", "needs root and dockerd")
    assert not outcome.is_good
    (row,) = text_table([Row(outcome, 0.0)]).splitlines()[1:]
    assert "not run: needs root and dockerd" in row
    assert "yes" not in row
    assert "undisturbed" not in row


@pytest.mark.parametrize(("short", "code"), [(True, 0), (False, 1)])
def test_only_the_short_form_forgives_what_could_not_be_run(short: bool, code: int) -> None:
    rows = [Row(GOOD, 1.0), Row(not_run("disk full", "needs root"), 0.0)]
    assert exit_code(rows, short=short) == code
    assert exit_code([*rows, Row(failed("worker", OSError()), 1.0)], short=short) == 1


def test_the_slowest_scenarios_are_told_with_their_seconds() -> None:
    slow = Row(dataclasses.replace(GOOD, scenario="engine"), 343.2)
    assert slowest([Row(GOOD, 20.0), slow]) == "slowest: engine 343 s, worker 20 s"


def test_the_markdown_has_a_column_for_every_cell() -> None:
    table = markdown_table([Row(GOOD, 20.0), Row(not_run("disk", "needs root"), 0.0)]).splitlines()
    assert {line.count("|") for line in table} == {table[0].count("|")}
    assert table[2].startswith("| worker | 2 | 2 | 0 | yes | 6.0, at most 9.0 | nothing | yes |")


def test_a_bar_in_a_cell_does_not_break_the_markdown() -> None:
    outcome = dataclasses.replace(GOOD, lost="a | b")
    head, _, row = markdown_table([Row(outcome, 1.0)]).splitlines()
    assert row.count("|") == head.count("|")
