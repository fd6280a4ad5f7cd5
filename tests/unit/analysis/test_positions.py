from __future__ import annotations

import ast

import pytest

from pushtrain.analysis.positions import SourceText


def _literal(source: str) -> str:
    text = SourceText(source)
    tree = ast.parse(text.text)
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value == 16]
    return text.slice(text.span(found[0]))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = f('a', 16)\n", id="plain"),
        pytest.param("x = f('größe', 16)\n", id="non-ascii-before"),
        pytest.param("# 日本語\r\nx = f('日本', 16)\r\n", id="wide-and-crlf"),
        pytest.param("\ufeffx = 16\n", id="byte-order-mark"),
        pytest.param("x = 1\n\x0c\ny = 16", id="form-feed-is-no-line"),
    ],
)
def test_a_span_finds_its_text(source: str) -> None:
    assert _literal(source) == "16"


def test_the_newline_of_a_line_is_known() -> None:
    assert SourceText("a = 1\nb = 2\r\n").newline(2) == "\r\n"
    assert SourceText("a = 1\r\nb = 2").newline(2) == "\r\n"
    assert SourceText("a = 1").newline(1) == "\n"


def test_before_and_after_are_the_rest_of_the_line() -> None:
    text = SourceText("if 1:\n    x = 16  # sixteen\n")
    statement = ast.parse(text.text).body[0]
    assert isinstance(statement, ast.If)
    span = text.span(statement.body[0])
    assert text.before(span) == "    "
    assert text.after(span) == "  # sixteen"
