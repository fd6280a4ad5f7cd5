"""Whether a layer can be written once more behind itself, and how."""

from __future__ import annotations

import ast

from pushtrain.analysis.frameworks import COMPANIONS, CONVOLUTIONS
from pushtrain.analysis.keras_models import KerasModel, Layer
from pushtrain.analysis.knob_sites import Idiom, LayerCopy
from pushtrain.analysis.literals import has_double_star
from pushtrain.analysis.positions import Span
from pushtrain.analysis.script_code import CodeFile

_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.GeneratorExp)
_NOT_REPEATED = ("Transpose", "Deconvolution", "Locally", "Depthwise")


def layer_copy(model: KerasModel, layer: Layer) -> LayerCopy | None:
    """Return how a hidden layer is repeated, None where that would not be safe.

    In a loop it would repeat more than once; a statement that shares its line has no line of
    its own to follow.
    """
    file = model.file
    if not _is_repeatable(layer) or any(isinstance(n, _LOOPS) for n in file.above(layer.call)):
        return None
    repeated = [layer, *_companions(model, layer)]
    places = [place for one in repeated if (place := _place(file, one))]
    if len(places) < len(repeated):
        return None
    calls = tuple(file.text.span(one.call) for one in repeated)
    before, after = _frame(file, layer)
    is_convolution = layer.kind in CONVOLUTIONS
    return LayerCopy(layer.idiom, calls, places[-1], before, after, is_convolution)


def _is_repeatable(layer: Layer) -> bool:
    if has_double_star(layer.call) or any(isinstance(a, ast.Starred) for a in layer.call.args):
        return False
    if layer.kind in CONVOLUTIONS:
        # a third positional argument is a stride in Keras 2 and a kernel size in Keras 1
        return len(layer.call.args) <= 2 and not any(w in layer.kind for w in _NOT_REPEATED)
    return layer.kind == "Dense"


def _companions(model: KerasModel, layer: Layer) -> list[Layer]:
    """Return the layers behind a layer that belong to it: without them two Dense are one."""
    found: list[Layer] = []
    for follower in model.layers[model.layers.index(layer) + 1 :]:
        if follower.kind not in COMPANIONS or follower.idiom is not layer.idiom:
            break
        if not _is_next_to(model.file, [layer, *found][-1], follower):
            break
        found.append(follower)
    return found


def _is_next_to(file: CodeFile, first: Layer, second: Layer) -> bool:
    if first.idiom is Idiom.LIST:
        elements = getattr(file.parents[first.call], "elts", [])
        return second.call in elements and (
            elements.index(second.call) == elements.index(first.call) + 1
        )
    one, two = file.statement(first.call), file.statement(second.call)
    if first.idiom is Idiom.FUNCTIONAL and _target(one) != _target(two):
        return False
    body = _block(file, one)
    return two in body and body.index(two) == body.index(one) + 1


def _block(file: CodeFile, statement: ast.stmt) -> list[ast.stmt]:
    above = file.parents[statement]
    blocks = (getattr(above, name, []) for name in ("body", "orelse", "finalbody"))
    return next((b for b in blocks if isinstance(b, list) and statement in b), [])


def _place(file: CodeFile, layer: Layer) -> Span | None:
    """Return what the copy of a layer follows, None if no line can be put there."""
    if layer.idiom is Idiom.LIST:
        return file.text.span(layer.call)
    statement = file.statement(layer.call)
    value = getattr(statement, "value", None)
    if value is not layer.outer:
        return None
    if layer.idiom is Idiom.FUNCTIONAL and (
        _target(statement) is None or len(layer.outer.args) != 1 or layer.outer.keywords
    ):
        return None
    span = file.text.span(statement)
    rest = file.text.after(span).strip()
    alone = not file.text.before(span).strip() and (not rest or rest.startswith("#"))
    return span if alone else None


def _target(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return target.id if isinstance(target, ast.Name) else None
    return None


def _frame(file: CodeFile, layer: Layer) -> tuple[str, str]:
    if layer.idiom is Idiom.ADD:
        receiver = file.text.slice(file.text.span(layer.outer.func))
        return f"{receiver}(", ")"
    if layer.idiom is Idiom.FUNCTIONAL:
        target = _target(file.statement(layer.call))
        return f"{target} = ", f"({target})"
    return "", ""
