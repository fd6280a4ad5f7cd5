"""The Keras models in a file, as the chains of layers that they are written as."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from pushtrain.analysis.frameworks import MERGING, WEIGHTED, keras_layer
from pushtrain.analysis.knob_sites import Idiom
from pushtrain.analysis.literals import argument, number
from pushtrain.analysis.script_code import CodeFile

_GRAPH = "graph"  # the name of a functional model: its layers belong to no variable


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer call.

    Attributes:
        kind: Class name.
        call: `Dense(16)`.
        outer: What holds it: `model.add(Dense(16))`, `Dense(16)(x)`, or the call itself.
    """

    kind: str
    call: ast.Call
    outer: ast.Call
    idiom: Idiom


@dataclass
class KerasModel:
    """Layers in the order in which data flows through them.

    Attributes:
        name: Scope and variable, such as `script.model`; no line number in it.
    """

    file: CodeFile
    name: str
    layers: list[Layer] = field(default_factory=list)

    def hidden(self) -> list[Layer]:
        """Return the layers with weights that do not make the output of the model."""
        weighted = [layer for layer in self.layers if layer.kind in WEIGHTED]
        return [
            layer
            for layer in weighted
            if layer is not weighted[-1]
            and not _is_head(layer)
            and not (layer.idiom is Idiom.FUNCTIONAL and not self._is_consumed(layer))
        ]

    def can_widen(self, layer: Layer) -> bool:
        """Tell whether another width of a hidden layer leaves all shapes valid."""
        if layer.idiom is Idiom.FUNCTIONAL and self._merges():
            return False
        for follower in self.layers[self.layers.index(layer) + 1 :]:
            if follower.kind == "Reshape":
                return False
            if follower.kind in WEIGHTED:
                return True
        return True

    def _merges(self) -> bool:
        """Tell whether branches of equal shape are put together, as residual blocks do."""
        targets = {t for layer in self.layers if (t := self._target(layer))}
        for node in self.file.walk():
            operands: list[ast.expr] = []
            if isinstance(node, ast.BinOp):
                operands = [node.left, node.right]
            elif isinstance(node, ast.AugAssign):
                operands = [node.target, node.value]
            elif isinstance(node, ast.Call) and self._is_merging(node):
                return True
            if any(isinstance(o, ast.Name) and o.id in targets for o in operands):
                return True
        return False

    def _is_merging(self, call: ast.Call) -> bool:
        """Tell whether a call is a merging layer, its function, or one of keras.ops or tf.math."""
        dotted = self.file.names.dotted(call.func) or ""
        root, name = dotted.partition(".")[0], dotted.rpartition(".")[2]
        return root in {"keras", "tensorflow"} and name in MERGING

    def _is_consumed(self, layer: Layer) -> bool:
        """Tell whether something other than the model itself takes a functional layer's result."""
        if isinstance(self.file.parents.get(layer.outer), ast.Call):
            return not self._is_model_call(self.file.parents[layer.outer])
        target = self._target(layer)
        end = (layer.outer.end_lineno or 0, layer.outer.end_col_offset or 0)
        return target is not None and any(
            isinstance(node, ast.Name)
            and node.id == target
            and isinstance(node.ctx, ast.Load)
            and (node.lineno, node.col_offset) > end
            and self._feeds_a_call(node)
            for node in self.file.walk()
        )

    def _feeds_a_call(self, node: ast.Name) -> bool:
        for above in self.file.above(node):
            if isinstance(above, ast.Call):
                return not self._is_model_call(above)
            if isinstance(above, ast.stmt):
                return False
        return False

    def _is_model_call(self, node: ast.AST) -> bool:
        dotted = self.file.names.dotted(node.func) if isinstance(node, ast.Call) else None
        return (dotted or "").rpartition(".")[2] in {"Model", "Functional"}

    def _target(self, layer: Layer) -> str | None:
        statement = self.file.statement(layer.call)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            return statement.targets[0].id
        return None


def keras_models(file: CodeFile) -> list[KerasModel]:
    """Return the models of a file, the one that is finished last at the end.

    Layers that are put together in another way (subclasses of Model, `partial`) are left out.
    """
    models: dict[str, KerasModel] = {}
    found = sorted(_layers(file), key=lambda pair: _end(pair[1].outer))
    for name, layer in found:
        models.setdefault(name, KerasModel(file, name)).layers.append(layer)
    return sorted(models.values(), key=lambda model: _end(model.layers[-1].outer))


def _layers(file: CodeFile) -> Iterator[tuple[str, Layer]]:
    for node in file.walk():
        if not isinstance(node, ast.Call):
            continue
        kind = keras_layer(file.names.dotted(node.func))
        placed = _placed(file, node) if kind else None
        if kind and placed:
            model, outer, idiom = placed
            yield model, Layer(kind, node, outer, idiom)


def _placed(file: CodeFile, call: ast.Call) -> tuple[str, ast.Call, Idiom] | None:
    parent = file.parents[call]
    scope = file.scope(call)
    if isinstance(parent, ast.Call) and parent.func is call:
        return f"{scope}.{_GRAPH}", parent, Idiom.FUNCTIONAL
    if isinstance(parent, ast.Call) and parent.args[:1] == [call]:
        called = parent.func
        if isinstance(called, ast.Attribute) and called.attr == "add":
            return _model_name(file, called.value, parent), parent, Idiom.ADD
    if isinstance(parent, ast.List):
        name = _list_name(file, parent)
        return (name, call, Idiom.LIST) if name else None
    return None


def _list_name(file: CodeFile, layers: ast.List) -> str | None:
    holder = file.parents[layers]
    while isinstance(holder, ast.keyword):
        holder = file.parents[holder]
    statement = file.statement(layers)
    if _is_sequential(file, holder):
        if isinstance(statement, ast.Assign) and statement.value is holder:
            return _model_name(file, statement.targets[0], holder)
        return f"{file.scope(layers)}.sequential"
    if isinstance(statement, ast.Assign) and statement.value is layers:
        target = statement.targets[0]
        if isinstance(target, ast.Name) and _goes_into_sequential(file, target.id):
            return _model_name(file, target, layers)
    return None


def _goes_into_sequential(file: CodeFile, name: str) -> bool:
    return any(
        _is_sequential(file, node)
        and isinstance(node, ast.Call)
        and any(isinstance(arg, ast.Name) and arg.id == name for arg in node.args)
        for node in file.walk()
    )


def _model_name(file: CodeFile, target: ast.expr, near: ast.AST) -> str:
    """Name the model that a variable holds here: notebooks use `model` again and again."""
    scope, variable = file.scope(near), ast.unparse(target)
    line = getattr(near, "end_lineno", 0)
    made = sum(
        isinstance(node, ast.Assign)
        and _is_sequential(file, node.value)
        and ast.unparse(node.targets[0]) == variable
        and node.lineno <= line
        and file.scope(node) == scope
        for node in file.walk()
    )
    return f"{scope}.{variable}{made if made > 1 else ''}"


def _is_sequential(file: CodeFile, node: ast.AST) -> bool:
    dotted = file.names.dotted(node.func) if isinstance(node, ast.Call) else None
    return bool(dotted and dotted.startswith("keras.") and dotted.endswith(".Sequential"))


def _is_head(layer: Layer) -> bool:
    """Tell whether a layer is an output by what it computes: classes, or one unit."""
    activation = argument(layer.call, "activation")
    text = ast.unparse(activation) if activation is not None else ""
    width = argument(layer.call, "units", "filters", "output_dim", "nb_filter", position=0)
    return "softmax" in text or number(width) == 1


def _end(node: ast.Call) -> tuple[int, int]:
    return (node.end_lineno or 0, node.end_col_offset or 0)
