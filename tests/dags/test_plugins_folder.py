from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from airflow import plugins_manager
from airflow._shared.module_loading.file_discovery import find_path_from_directory

# Airflow's own use of a newer pathspec
pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")

PLUGINS = Path(__file__).parents[2] / "plugins"


def found_in(folder: Path) -> list[str]:
    """Return the Python files that Airflow's plugin loader would execute."""
    paths = (Path(p) for p in find_path_from_directory(str(folder), ".airflowignore", "glob"))
    return sorted(str(p.relative_to(folder)) for p in paths if p.suffix == ".py")


def test_airflow_executes_the_plugin_file_and_nothing_else() -> None:
    assert found_in(PLUGINS) == ["pushtrain_plugin.py"]


@pytest.mark.parametrize("name", ["more.py", "other/deep/docker.py", "pushtrain/web/mail.py"])
def test_a_new_file_is_not_executed_either(tmp_path: Path, name: str) -> None:
    shutil.copy(PLUGINS / ".airflowignore", tmp_path)
    (tmp_path / "pushtrain_plugin.py").write_text("")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("")
    assert found_in(tmp_path) == ["pushtrain_plugin.py"]


def test_without_the_allow_list_every_file_would_be_executed(tmp_path: Path) -> None:
    (tmp_path / "pushtrain").mkdir()
    (tmp_path / "pushtrain" / "docker.py").write_text("")
    assert found_in(tmp_path) == ["pushtrain/docker.py"]


def test_the_plugin_is_loaded_without_an_error() -> None:
    names = {plugin.name for plugin in plugins_manager._get_plugins()[0]}
    assert "pushtrain" in names
    assert plugins_manager.get_import_errors() == {}
