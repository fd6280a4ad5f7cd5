from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain.local.browser import find_browser


def program(path: Path) -> str:
    path.touch(mode=0o755)
    return str(path)


def test_a_chromium_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUSHTRAIN_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() == ""
    expected = program(tmp_path / "chromium")
    assert find_browser() == expected


def test_a_named_browser_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "chromium")
    named = program(tmp_path / "mine")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PUSHTRAIN_BROWSER", named)
    assert find_browser() == named
