"""Finds states of TensorFlow's operations that nobody can read, so that no checkpoint has them."""

from __future__ import annotations

import weakref
from typing import Any

# operations whose state lies inside of them, where nobody can read it
UNREADABLE = frozenset({
    "RandomUniform", "RandomUniformInt", "RandomStandardNormal", "TruncatedNormal",
    "ParameterizedTruncatedNormal", "RandomGamma", "RandomPoissonV2", "RandomShuffle",
    "Multinomial",
})  # fmt: skip

# by traced function: looking through a graph takes long, and a checkpoint is made often
_known: weakref.WeakKeyDictionary[Any, frozenset[str]] = weakref.WeakKeyDictionary()


def unreadable_states(functions: list[Any]) -> list[str]:
    """Return a sentence for each kind of operation in `functions` that has such a state.

    Args:
        functions: Functions of TensorFlow; what else is among them is left alone.
    """
    found: set[str] = set()
    for function in functions:
        for concrete in getattr(function, "_list_all_concrete_functions", list)():
            if concrete not in _known:
                _known[concrete] = _kinds_in(concrete.graph.as_graph_def())
            found |= _known[concrete]
    return [f"the state of TensorFlow's {name} can not be kept" for name in sorted(found)]


def _kinds_in(graph: Any) -> frozenset[str]:
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return UNREADABLE & {node.op for node in nodes}
