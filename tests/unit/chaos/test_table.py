from __future__ import annotations

import dataclasses

import pytest
from tests.chaos.outcome import Outcome
from tests.chaos.table import (
    Row,
    failed,
    markdown_table,
    record,
    text_table,
    told_seconds,
)

GOOD = Outcome(
    "worker", tried=2, recovered=2, epochs_twice=0, identical=True, seconds=(3.0, 9.0), note="60 s"
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


def test_the_markdown_has_a_column_for_every_cell() -> None:
    text = markdown_table([Row(GOOD, 20.0)], "2026-01-01, 2 processors")
    facts, empty, *table = text.splitlines()
    assert (facts, empty) == ("2026-01-01, 2 processors", "")
    assert {line.count("|") for line in table} == {table[0].count("|")}
    assert table[2].startswith("| worker | 2 | 2 | 0 | yes | 6.0, at most 9.0 | nothing | yes |")


def test_a_bar_in_a_cell_does_not_break_the_markdown() -> None:
    outcome = dataclasses.replace(GOOD, lost="a | b")
    *_, row = markdown_table([Row(outcome, 1.0)], "").splitlines()
    assert row.count("|") == markdown_table([Row(GOOD, 1.0)], "").splitlines()[-1].count("|")


def test_machines_get_every_figure() -> None:
    told = record([Row(GOOD, 20.04)], "facts")
    assert told["facts"] == "facts"
    (row,) = told["rows"]
    assert (row["seconds"], row["took"], row["good"]) == ((3.0, 9.0), 20.0, True)
