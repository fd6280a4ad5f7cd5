from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain.local import airflow_cli


def test_without_an_embedded_airflow_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PUSHTRAIN_HOME", str(tmp_path / "home"))
    assert airflow_cli.main(["dags", "list"]) == 1
    assert "make up" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
