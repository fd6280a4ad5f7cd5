"""Turn source text into a syntax tree, or into an error that its author can act on."""

from __future__ import annotations

import ast
import re
import warnings

from pushtrain.errors import ScriptError

BOM = "\ufeff"

# What Python 3 says about the statements that only Python 2 has.
_PYTHON_2_SAYS = (
    "Missing parentheses in call to 'print'",
    "Missing parentheses in call to 'exec'",
    "multiple exception types must be parenthesized",
    "leading zeros in decimal integer literals",
)
_PYTHON_2_LINE = re.compile(r"^\s*print\s+[\"'\w%]|<>|^\s*raise\s+\w+\s*,|\bur['\"]")


def parse(path: str, source: str) -> ast.Module:
    """Return the syntax tree of a Python file.

    Args:
        path: Path in the model repo, for the message.
        source: The text of the file.

    Raises:
        ScriptError: The text is not Python 3; it carries the 1-based line and column.
    """
    try:
        with warnings.catch_warnings():
            # "\d" in an ordinary string: the author's business, not a line in our log
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return ast.parse(source.removeprefix(BOM), filename=path)
    except SyntaxError as err:
        raise _script_error(path, source, err) from err
    except (ValueError, RecursionError, MemoryError) as err:
        what = "it contains null bytes" if "\0" in source else "it is nested too deeply"
        raise ScriptError(f"can not be read as Python: {what}", file=path) from err


def _script_error(path: str, source: str, err: SyntaxError) -> ScriptError:
    line, column = err.lineno or 0, err.offset or 0
    message = f"not valid Python 3: {err.msg}"
    if _is_python_2(source, err):
        message = (
            f"this looks like Python 2 ({err.msg}); scripts have to be Python 3: "
            "convert it, for example with `2to3 -w`"
        )
    return ScriptError(message, file=path, line=line, column=max(column, 0))


def _is_python_2(source: str, err: SyntaxError) -> bool:
    if any(said in (err.msg or "") for said in _PYTHON_2_SAYS):
        return True
    lines = re.split(r"\r\n|\r|\n", source)
    line = lines[err.lineno - 1] if err.lineno and err.lineno <= len(lines) else ""
    return bool(_PYTHON_2_LINE.search(line))
