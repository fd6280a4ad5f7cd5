from __future__ import annotations

import pytest

from pushtrain.analysis.code_reading import parse
from pushtrain.errors import ScriptError


def test_valid_source_gives_a_tree() -> None:
    assert len(parse("a.py", "x = 1\ny = 2\n").body) == 2


def test_a_byte_order_mark_is_no_error() -> None:
    assert len(parse("a.py", "\ufeffx = 1\n").body) == 1


def test_a_bad_escape_in_a_string_raises_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    parse("a.py", 'pattern = "\\d+"\n')
    assert not recwarn.list


def test_a_syntax_error_carries_file_line_and_column() -> None:
    with pytest.raises(ScriptError) as caught:
        parse("model_src/a.py", "x = 1\ny = 2\nz = = 3\n")
    assert (caught.value.file, caught.value.line) == ("model_src/a.py", 3)
    assert caught.value.column == 5
    assert str(caught.value).startswith("model_src/a.py:3:5: not valid Python 3")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('x = 1\nprint "hello"\n', id="print-string"),
        pytest.param("x = 1\nprint x\n", id="print-name"),
        pytest.param("try:\n  x\nexcept IOError, e:\n  pass\n", id="except-comma"),
        pytest.param("if 1 <> 2:\n  pass\n", id="not-equal"),
        pytest.param("x = 0777\n", id="octal"),
    ],
)
def test_python_2_is_named_as_such(source: str) -> None:
    with pytest.raises(ScriptError, match="looks like Python 2"):
        parse("old.py", source)


def test_an_ordinary_mistake_is_not_called_python_2() -> None:
    with pytest.raises(ScriptError) as caught:
        parse("new.py", "print('a'\nx = 1\n")
    assert "Python 2" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        pytest.param("x = '\0'\n", "null bytes", id="null-byte"),
        pytest.param("x = " + "-" * 100_000 + "1\n", "nested too deeply", id="nested-too-deeply"),
    ],
)
def test_what_the_parser_can_not_take_is_a_script_error(source: str, what: str) -> None:
    with pytest.raises(ScriptError, match=what):
        parse("odd.py", source)
