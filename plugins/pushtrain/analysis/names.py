"""What the names in a file mean, told from its imports and never by running it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from pushtrain.analysis.frameworks import KERAS_NAMES, SKLEARN_NAMES, canonical

# Only names under these are worth following through `L = keras.layers`.
_FOLLOWED = ("keras", "sklearn", "tensorflow", "tf_keras")


@dataclass(frozen=True)
class Names:
    """The dotted names behind the plain names of one file.

    Attributes:
        bound: Canonical dotted name by local name.
        stars: Modules of star imports, canonical.
        shadowed: Names that the repo defines itself, here or in a module of its own.
    """

    bound: dict[str, str]
    stars: tuple[str, ...]
    shadowed: frozenset[str]

    def dotted(self, node: ast.AST) -> str | None:
        """Return the canonical dotted name of `a`, `a.b`, ...; None if nothing tells it.

        All roads to Keras are called `keras`: `tf.keras.layers.Dense` is `keras.layers.Dense`.
        """
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return canonical(f"{base}.{node.attr}") if base else None
        return None

    def _name(self, name: str) -> str | None:
        if name in self.shadowed:
            return None
        if name in self.bound:
            return self.bound[name]
        for star in self.stars:
            known = KERAS_NAMES if _is_under(star, "keras", "tensorflow") else SKLEARN_NAMES
            if name in known:
                return canonical(f"{star}.{name}")
        return None


def read_names(tree: ast.Module, local: Callable[[ast.ImportFrom], Names | None]) -> Names:
    """Read the names of a file.

    Args:
        tree: The file.
        local: Gives the names of the repo's own module that an import takes from, else None.
    """
    shadowed = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    bound: dict[str, str] = {}
    stars: list[str] = []
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom | ast.Assign)]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset)):
        if isinstance(node, ast.Import):
            bound.update(_imports(node))
        elif isinstance(node, ast.ImportFrom):
            other = local(node)
            if other is None:
                _from_framework(node, bound, stars)
            else:
                shadowed |= _from_local(node, other, bound, stars)
        else:
            target = node.targets[0]
            names = Names(bound, tuple(stars), frozenset(shadowed))
            meaning = names.dotted(node.value)
            if isinstance(target, ast.Name) and meaning and _is_under(meaning, *_FOLLOWED):
                bound[target.id] = meaning
    return Names(bound, tuple(stars), frozenset(shadowed))


def _imports(node: ast.Import) -> dict[str, str]:
    found = {}
    for alias in node.names:
        first = alias.name.partition(".")[0]
        found[alias.asname or first] = canonical(alias.name if alias.asname else first)
    return found


def _from_framework(node: ast.ImportFrom, bound: dict[str, str], stars: list[str]) -> None:
    for alias in node.names:
        if alias.name == "*":
            stars.append(canonical(node.module or ""))
        elif node.module and not node.level:
            bound[alias.asname or alias.name] = canonical(f"{node.module}.{alias.name}")


def _from_local(
    node: ast.ImportFrom, other: Names, bound: dict[str, str], stars: list[str]
) -> set[str]:
    """Follow what a module of the repo hands on, such as `from common import Dense`.

    Returns:
        Names that mean something of the repo's own.
    """
    own: set[str] = set()
    for alias in node.names:
        if alias.name == "*":
            bound.update(other.bound)
            stars.extend(other.stars)
            own |= other.shadowed
            continue
        meaning = other.dotted(ast.Name(alias.name, ast.Load()))
        if meaning:
            bound[alias.asname or alias.name] = meaning
        else:
            own.add(alias.asname or alias.name)
    return own


def _is_under(dotted: str, *roots: str) -> bool:
    return dotted.partition(".")[0] in roots
