from __future__ import annotations

from pathlib import Path

import pytest

from pushtrain.local.dockerfile_inputs import content_tag, copied_paths

DOCKERFILE = """ARG BASE=debian
FROM ${BASE}
ARG KIND=cpu.txt
COPY requirements/${KIND} /opt/one.txt
COPY --chown=1:1 trainer \\
     extra /opt/
COPY --from=other /x /y
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("trainer/a.py", "extra/b.py", "requirements/cpu.txt", "requirements/gpu.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def tag(context: Path, base: str = "sha256:1", **build_args: str) -> str:
    return content_tag(context, context / "Dockerfile", build_args, base)


def test_all_copied_sources_are_found():
    assert copied_paths(DOCKERFILE, {}) == ["requirements/cpu.txt", "trainer", "extra"]


def test_build_arguments_win_over_defaults():
    assert "requirements/gpu.txt" in copied_paths(DOCKERFILE, {"KIND": "gpu.txt"})


def test_the_same_inputs_make_the_same_tag(context):
    assert tag(context) == tag(context)


@pytest.mark.parametrize("name", ["trainer/a.py", "trainer/new.py", "extra/b.py", "Dockerfile"])
def test_a_changed_input_changes_the_tag(context, name):
    before = tag(context)
    with (context / name).open("a") as file:
        file.write("# changed\n")
    assert tag(context) != before


@pytest.mark.parametrize("name", ["requirements/gpu.txt", "trainer/__pycache__/a.pyc", "other.py"])
def test_a_file_that_does_not_go_in_changes_nothing(context, name):
    before = tag(context)
    (context / name).parent.mkdir(exist_ok=True)
    (context / name).write_text("changed")
    assert tag(context) == before


def test_base_and_build_arguments_are_part_of_the_tag(context):
    tags = {tag(context), tag(context, base="sha256:2"), tag(context, KIND="gpu.txt")}
    assert len(tags) == 3


def test_a_renamed_file_changes_the_tag(context):
    before = tag(context)
    (context / "trainer/a.py").rename(context / "trainer/z.py")
    assert tag(context) != before
