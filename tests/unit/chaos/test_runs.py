from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.chaos.outcome import Outcome
from tests.chaos.runs import Run, read, report, write
from tests.chaos.table import Row


def row(name: str, recovered: int = 2) -> Row:
    outcome = Outcome(
        name, tried=2, recovered=recovered, epochs_twice=0, identical=True, seconds=(3.0, 9.0)
    )
    return Row(outcome, 20.0)


FIRST = Run("2026-01-01, seed 1", (row("worker", recovered=1), row("disk")))
SECOND = Run("2026-01-02, seed 2", (row("worker"), row("storm")))


def test_a_run_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "a.json"
    write(FIRST, path)
    assert read(path) == FIRST


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1, "rows": []}', '{"schema": 2}'])
def test_a_file_without_a_run_is_told_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"a\.json holds no run of chaos"):
        read(path)


def test_machines_are_told_what_was_good() -> None:
    told = json.loads(json.dumps(FIRST.to_dict()))
    assert [r["good"] for r in told["rows"]] == [False, True]


def test_the_report_of_a_run_begins_with_when_and_how() -> None:
    about, _, legend, *_ = report([FIRST]).splitlines()
    assert about == FIRST.about
    assert legend.startswith("Seconds to go on: from the kill")


def test_runs_together_have_one_row_a_scenario_and_hide_nothing() -> None:
    text = report([FIRST, SECOND])
    assert "1. 2026-01-01, seed 1: worker, disk" in text
    assert "2. 2026-01-02, seed 2: worker, storm" in text
    assert "Run more than once: worker (again in run 2, NOT GOOD before)." in text
    (worker,) = (line for line in text.splitlines() if line.startswith("| worker"))
    assert worker.startswith("| worker | 2 | 2 |")
