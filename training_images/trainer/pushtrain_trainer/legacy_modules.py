"""Old import names of Keras, found only where today's Keras has no such module."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from typing import Any

from pushtrain_trainer.run_state import Run

PREFIXES = ("keras._tf_keras.keras.", "tensorflow.python.keras.", "tensorflow.keras.", "keras.")
OLD_LAYERS = (
    "core", "convolutional", "pooling", "normalization", "embeddings", "recurrent", "merge",
    "advanced_activations", "noise", "local", "wrappers",
)  # fmt: skip
MOVED = {
    **{f"layers.{name}": "keras.layers" for name in OLD_LAYERS},
    "layers.normalization.batch_normalization": "keras.layers",
    "engine": "keras.models",
    "engine.topology": "keras.layers",
    "engine.training": "keras.models",
    "utils.np_utils": "keras.utils",
    "utils.vis_utils": "keras.utils",
    "utils.generic_utils": "keras.utils",
    "utils.data_utils": "keras.utils",
    "preprocessing.text": "keras.src.legacy.preprocessing.text",
    "preprocessing.sequence": "keras.src.legacy.preprocessing.sequence",
    "preprocessing.image": "keras.src.legacy.preprocessing.image",
    "optimizers.legacy": "keras.optimizers",
}


def today(name: str) -> str | None:
    """Return the module that has what the old module `name` had, None if it is no old name."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            if prefix == "tensorflow.python.keras.":
                return MOVED.get(rest, f"keras.{rest}")
            return MOVED.get(rest)
    return "keras" if name == "tensorflow.python.keras" else None


class LegacyFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Comes last in `sys.meta_path`, so that real modules win."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for old names, None for all others."""
        if today(fullname) is None:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return a module that shows the names of today's module."""
        source = importlib.import_module(today(spec.name) or "keras")
        module = types.ModuleType(spec.name)
        module.__dict__.update({k: v for k, v in vars(source).items() if not k.startswith("__")})
        self._run.note(f"the old import {spec.name} was served by {source.__name__}")
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Make the module reachable from its parent."""
        parent, _, name = module.__name__.rpartition(".")
        holder: Any = sys.modules.get(parent)
        if holder is not None and not hasattr(holder, name):
            setattr(holder, name, module)


def install(run: Run) -> None:
    """Serve old names from now on."""
    uninstall()
    sys.meta_path.append(LegacyFinder(run))


def uninstall() -> None:
    """Stop serving old names."""
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, LegacyFinder)]
