"""A script with the modules of its repo, parsed, its names known, dead code left out."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pushtrain.analysis.code_reading import parse
from pushtrain.analysis.local_modules import imported_file, local_modules
from pushtrain.analysis.names import Names, read_names
from pushtrain.analysis.positions import SourceText

_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass
class CodeFile:
    """One parsed file.

    Attributes:
        live: Top-level statements that the script can reach.
        parents: The node above each node.
    """

    path: str
    text: SourceText
    tree: ast.Module
    names: Names
    live: list[ast.stmt] = field(default_factory=list)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def walk(self) -> Iterator[ast.expr | ast.stmt]:
        """Yield the live expressions and statements in the order of the text."""
        found = [
            node
            for statement in self.live
            for node in ast.walk(statement)
            if isinstance(node, ast.expr | ast.stmt)
        ]
        return iter(sorted(found, key=lambda n: (n.lineno, n.col_offset)))

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the statement that a node is part of."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield all nodes above a node, the nearest first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def scope(self, node: ast.AST) -> str:
        """Return the dotted name of the function or class around a node, `script` for none."""
        names = [n.name for n in self.above(node) if isinstance(n, _DEFINITION)]
        return ".".join(reversed(names)) or "script"


def read_code(script: str, sources: Mapping[str, str]) -> tuple[CodeFile, ...]:
    """Parse a script and the modules of its repo that it imports.

    Returns:
        The script first, then its modules by path.

    Raises:
        ScriptError: One of them is not Python 3.
    """
    reader = _Reader(script, sources)
    files = tuple(reader.read(path) for path in (script, *local_modules(script, sources)))
    _mark_live(files)
    return files


class _Reader:
    """Reads each file once, following what modules of the repo hand on to each other."""

    def __init__(self, script: str, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._folder = posixpath.dirname(script)
        self._done: dict[str, CodeFile | None] = {}

    def read(self, path: str) -> CodeFile:
        known = self._done.get(path)
        if known is not None:
            return known
        self._done[path] = None  # under way: an import circle ends here
        tree = parse(path, self._sources[path])
        names = read_names(tree, lambda node: self._names_behind(node, path))
        parents = {c: n for n in ast.walk(tree) for c in ast.iter_child_nodes(n)}
        made = CodeFile(path, SourceText(self._sources[path]), tree, names, [], parents)
        self._done[path] = made
        return made

    def _names_behind(self, node: ast.ImportFrom, importer: str) -> Names | None:
        path = imported_file(node, importer, self._sources, self._folder)
        if path is None:
            return None
        if path in self._done and self._done[path] is None:
            return Names({}, (), frozenset())
        return self.read(path).names


def _mark_live(files: tuple[CodeFile, ...]) -> None:
    """Keep what is run: top-level code, and definitions that live code names.

    A helper imported for one function must not make the script look like what its other
    functions build.
    """
    waiting: dict[str, list[tuple[CodeFile, ast.stmt]]] = {}
    queue: list[ast.stmt] = []
    for number, file in enumerate(files):
        for statement in file.tree.body:
            if isinstance(statement, _DEFINITION):
                waiting.setdefault(statement.name, []).append((file, statement))
            elif number == 0 or not _is_main_guard(statement):
                file.live.append(statement)
                queue.append(statement)
    while queue:
        for name in _mentioned(queue.pop()):
            for file, statement in waiting.pop(name, ()):
                file.live.append(statement)
                queue.append(statement)
    for file in files:
        file.live.sort(key=lambda s: s.lineno)


def _mentioned(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in set(_mentioned(statement.test))  # type: ignore[arg-type]  # walks any node
