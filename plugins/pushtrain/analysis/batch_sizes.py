"""Batch sizes that are no knobs of the search: those of data pipelines and generators.

They are looked for only where a training ran out of memory. Nothing is followed through calls: a
number counts where it stands in the call itself, or in the only assignment of a plain name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from pushtrain.analysis.keras_ranges import bounds_of
from pushtrain.analysis.knob_sites import Edit, Found, KnobSite
from pushtrain.analysis.positions import Span
from pushtrain.analysis.script_code import CodeFile, read_code
from pushtrain.analysis.script_comments import heed_comments
from pushtrain.history import Knob

_KIND = "batch_size"
# Where the batch size stands if it is not named.
_PLACES = {
    "batch": 0, "padded_batch": 0, "flow": 2, "flow_from_directory": 5,
    "image_dataset_from_directory": 5, "text_dataset_from_directory": 4,
    "flow_from_dataframe": None, "audio_dataset_from_directory": None,
    "timeseries_dataset_from_array": None, "TimeseriesGenerator": None,
}  # fmt: skip
# These read in batches of 32 by themselves.
_OF_32 = ("flow", "flow_from_directory", "flow_from_dataframe", "image_dataset_from_directory",
          "text_dataset_from_directory", "audio_dataset_from_directory")  # fmt: skip
_DATA = ("tf.data", "tensorflow.data", "tfds", "dataset_from_directory", "Dataset")


def batch_sites(script: str, sources: Mapping[str, str]) -> tuple[KnobSite, ...]:
    """Return the batch sizes of a script's data pipelines and generators.

    Args:
        script: Path of the script in the repo.
        sources: The repo's Python files, text by posix path.

    Raises:
        ScriptError: The script or one of its modules is not Python 3.
    """
    files = read_code(script, sources)
    found: dict[tuple[str, Span], KnobSite] = {}
    for file in files:
        for site in _sites(file):
            found.setdefault((file.path, site.span), site)
    return heed_comments(Found(tuple(found.values())), files).sites


def _sites(file: CodeFile) -> Iterator[KnobSite]:
    has_data = any(word in file.text.text for word in _DATA)
    for node in file.walk():
        if not isinstance(node, ast.Call):
            continue
        name = _called(node)
        if name not in _PLACES or (name in ("batch", "padded_batch") and not has_data):
            continue
        given = _given(node, _PLACES[name])
        if given is not None:
            literal = _literal(file, given)
            if literal is not None:
                yield from _site(file, name, literal)
        elif name in _OF_32 and _is_plain(node):
            span = file.text.span(node)
            yield KnobSite(_knob(file, name, 32, span), Edit.INSERT, span, argument=_KIND)


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _given(call: ast.Call, place: int | None) -> ast.expr | None:
    named = next((k.value for k in call.keywords if k.arg == _KIND), None)
    if named is not None or place is None or len(call.args) <= place:
        return named
    before = call.args[: place + 1]
    return None if any(isinstance(a, ast.Starred) for a in before) else before[-1]


def _is_plain(call: ast.Call) -> bool:
    """Tell whether an argument that is not named is surely not given."""
    return not any(isinstance(a, ast.Starred) for a in call.args) and all(
        k.arg is not None for k in call.keywords
    )


def _literal(file: CodeFile, given: ast.expr) -> ast.Constant | None:
    """Return the number that an argument stands for, None if it is computed."""
    if isinstance(given, ast.Constant):
        return given if type(given.value) is int else None
    if not isinstance(given, ast.Name):
        return None
    stores = [
        node
        for node in file.walk()
        if isinstance(node, ast.Name) and node.id == given.id and isinstance(node.ctx, ast.Store)
    ]
    if len(stores) != 1:
        return None
    statement = file.statement(stores[0])
    if not isinstance(statement, ast.Assign) or statement.targets != stores:
        return None
    return _literal(file, statement.value) if isinstance(statement.value, ast.Constant) else None


def _site(file: CodeFile, name: str, literal: ast.Constant) -> Iterator[KnobSite]:
    assert isinstance(literal.value, int)
    if bounds_of(_KIND, literal.value) is not None:
        span = file.text.span(literal)
        yield KnobSite(_knob(file, name, literal.value, span), Edit.REPLACE, span)


def _knob(file: CodeFile, name: str, value: int, span: Span) -> Knob:
    bounds = bounds_of(_KIND, value)
    assert bounds is not None
    return Knob(
        id=f"{file.path}:{span.line}:{span.column + 1}.{name}",
        kind=_KIND,
        label=f"{_KIND} of {name}()",
        value=value,
        low=bounds.low,
        high=bounds.high,
        file=file.path,
        line=span.line,
        column=span.column + 1,
        reason="smaller batches need less memory",
        log=True,
    )
