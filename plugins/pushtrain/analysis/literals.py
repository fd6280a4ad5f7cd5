"""Which literal in the text decides a value: the argument itself or a constant behind it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from pushtrain.analysis.script_code import CodeFile


def number(node: ast.AST | None) -> int | float | None:
    """Return the value of a plain number, None for everything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return None if isinstance(node.value, bool) else node.value
    return None


def argument(call: ast.Call, *names: str, position: int | None = None) -> ast.expr | None:
    """Return an argument of a call by one of its names or by its 0-based position."""
    for keyword in call.keywords:
        if keyword.arg in names:
            return keyword.value
    if position is not None and position < len(call.args):
        found = call.args[position]
        return None if isinstance(found, ast.Starred) else found
    return None


def has_double_star(call: ast.Call) -> bool:
    """Tell whether a call takes `**something`, which may hold any keyword."""
    return any(keyword.arg is None for keyword in call.keywords)


def constant_behind(
    node: ast.expr, file: CodeFile, files: Sequence[CodeFile], allowed: set[ast.expr]
) -> ast.Constant | None:
    """Return the one literal that a name stands for, if nothing else depends on it.

    Args:
        node: An argument.
        file: The file that it stands in.
        files: All files of the script: a constant that another one mentions is left alone.
        allowed: The only expressions that may read the name.
    """
    if not isinstance(node, ast.Name):
        return None
    uses = [n for n in ast.walk(file.tree) if isinstance(n, ast.Name) and n.id == node.id]
    stores = [n for n in uses if not isinstance(n.ctx, ast.Load)]
    loads = [n for n in uses if isinstance(n.ctx, ast.Load)]
    if len(stores) != 1 or any(load not in allowed for load in loads):
        return None
    if _is_bound_otherwise(file, node.id) or _is_mentioned_elsewhere(file, files, node.id):
        return None
    statement = file.parents.get(stores[0])
    if isinstance(statement, ast.Assign) and statement.targets == [stores[0]]:
        value = statement.value
        return value if isinstance(value, ast.Constant) else None
    return None


def _is_bound_otherwise(file: CodeFile, name: str) -> bool:
    """Tell whether a parameter, an import, a definition or `global` has the same name."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.arg) and node.arg == name:
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name) == name:
            return True
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return True
        if isinstance(node, ast.Global | ast.Nonlocal) and name in node.names:
            return True
    return False


def _is_mentioned_elsewhere(file: CodeFile, files: Sequence[CodeFile], name: str) -> bool:
    for other in files:
        if other is file:
            continue
        for node in ast.walk(other.tree):
            if name in (getattr(node, "id", None), getattr(node, "attr", None)):
                return True
            if isinstance(node, ast.alias) and node.name == name:
                return True
    return False
