from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from pushtrain.contract import ScriptSettings
from pushtrain.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_every_option_of_the_operator() -> None:
    table = README.split("## What an operator sets")[1].split("**A real repo**")[0]
    named = set(re.findall(r"`(\w+)`", "\n".join(r.split("|")[1] for r in _rows(table))))
    assert named == {f.name for f in dataclasses.fields(Settings)}


def test_the_readme_shows_every_setting_of_a_script() -> None:
    example = README.split("```toml")[1].split("```")[0]
    shown = set(re.findall(r"^(\w+) = ", example, re.MULTILINE))
    assert shown == {f.name for f in dataclasses.fields(ScriptSettings)}


def _rows(table: str) -> list[str]:
    return [line for line in table.splitlines() if line.startswith("| `")]
