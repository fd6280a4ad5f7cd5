"""Runs a script as `__main__`, as `python script.py` in the script's folder would."""

from __future__ import annotations

import builtins
import gc
import importlib.util
import io
import os
import sys
import traceback
import types
from pathlib import Path

from pushtrain_trainer.contract import ScriptFailure

OWN_FOLDER = str(Path(__file__).parent)
MOST_CHARACTERS = 4000


def run_script(script: Path, arguments: list[str], root: Path) -> ScriptFailure | None:
    """Run `script` to its end.

    Args:
        script: Absolute path.
        arguments: What the script finds in `sys.argv[1:]`.
        root: The tree that the script belongs to.

    Returns:
        None after a normal end (`sys.exit(0)` included), else what went wrong.
    """
    os.chdir(script.parent)
    sys.argv = [script.name, *arguments]
    sys.path.insert(0, str(script.parent))
    if str(root) not in sys.path:
        sys.path.append(str(root))
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=str(script), __builtins__=builtins)
    sys.modules["__main__"] = module
    try:
        exec(compile(script.read_bytes(), str(script), "exec"), module.__dict__)
    except SystemExit as left:
        return _left(left)
    except BaseException as error:  # whatever the script raises is its result
        return describe_failure(error, root)
    finally:
        _flush_open_files()
    return None


def _left(left: SystemExit) -> ScriptFailure | None:
    if left.code is None or left.code == 0:
        return None
    message = f"the script left with sys.exit({left.code!r})"
    return ScriptFailure(type="SystemExit", message=message, traceback=message)


def describe_failure(error: BaseException, root: Path) -> ScriptFailure:
    """Return where in the tree `error` arose, with a traceback without our own frames."""
    summary = traceback.TracebackException.from_exception(error)
    frames = [f for f in summary.stack if not f.filename.startswith(OWN_FOLDER)]
    # what exec() passes through on our side of the script is of no use to its author
    summary.stack[:] = [f for f in frames if f.filename != "<frozen runpy>"]
    file, line = "", 0
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno or 0
    else:
        for frame in summary.stack:
            if Path(frame.filename).is_relative_to(root):
                file, line = frame.filename, frame.lineno or 0
    relative = os.path.relpath(file, root) if file else ""
    return ScriptFailure(
        type=type(error).__name__,
        message=_message(error)[:MOST_CHARACTERS],
        file=relative,
        line=line,
        traceback="".join(summary.format())[-MOST_CHARACTERS:],
    )


def _message(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        have = [n for n in ("keras", "tensorflow", "sklearn") if importlib.util.find_spec(n)]
        return f"{text}: this image has {', '.join(have)}, NumPy, SciPy, pandas and Matplotlib"
    return text


def _flush_open_files() -> None:
    """Write out files that the script left open, as the end of the process would."""
    for thing in gc.get_objects():
        if isinstance(thing, (io.TextIOWrapper, io.BufferedWriter)) and not thing.closed:
            try:
                if thing.writable():
                    thing.flush()
            except (OSError, ValueError):
                continue  # a broken pipe of the script's: not ours to report
