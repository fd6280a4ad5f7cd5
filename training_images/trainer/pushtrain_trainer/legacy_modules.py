"""Old import names, of Keras above all: served where today's library has no such module.

For a script that needs Keras 2 every name of Keras leads to tf-keras, which has most of them.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import sysconfig
import types
from collections.abc import Callable, Sequence
from typing import Any

from pushtrain_trainer.keras_choice import is_legacy, library
from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run

PREFIXES = ("tensorflow.python.keras", "tensorflow.contrib.keras.api.keras",
            "tensorflow.contrib.keras", "tensorflow.contrib.keras.python.keras",
            "tensorflow.keras", "keras._tf_keras.keras", "keras")  # fmt: skip
OLD_LAYERS = (
    "core", "convolutional", "pooling", "normalization", "embeddings", "recurrent", "merge",
    "advanced_activations", "noise", "local", "wrappers", "cudnn_recurrent",
    "convolutional_recurrent", "normalization.batch_normalization", "merging",
)  # fmt: skip
OLD_OPTIMIZERS = ("adadelta", "adagrad", "adam", "adamax", "gradient_descent", "nadam", "rmsprop")
OWN = "pushtrain_trainer."
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")})
# What stands where Keras once had a module of this name: modules of Keras, or ours.
MOVED = {
    **dict.fromkeys((f"layers.{name}" for name in OLD_LAYERS), "layers"),
    **dict.fromkeys((f"optimizers.{name}_v2" for name in OLD_OPTIMIZERS), "optimizers"),
    "engine": "models",
    "engine.topology": "layers",
    "engine.base_layer": "layers",
    "engine.input_layer": "layers",
    "engine.training": "models",
    "engine.network": "models",
    "engine.sequential": "models",
    "utils.np_utils": "utils",
    "utils.vis_utils": "utils",
    "utils.visualize_util": f"{OWN}legacy_functions",
    "utils.generic_utils": "utils",
    "utils.data_utils": "utils",
    "utils.io_utils": "utils",
    "utils.layer_utils": "utils",
    "utils.training_utils": f"{OWN}legacy_functions",
    "utils.multi_gpu_utils": f"{OWN}legacy_functions",
    "wrappers": f"{OWN}keras_wrappers",
    "wrappers.scikit_learn": f"{OWN}keras_wrappers",
    "backend.tensorflow_backend": "backend",
    "initializations": "initializers",
    "objectives": "losses",
    "legacy": "layers",
    "legacy.layers": "layers",
    "preprocessing.text": "src.legacy.preprocessing.text",
    "preprocessing.sequence": "src.legacy.preprocessing.sequence",
    "preprocessing.image": "src.legacy.preprocessing.image",
    "optimizers.legacy": "optimizers",
    "optimizer_v2": "optimizers",
    **dict.fromkeys((f"optimizer_v2.{name}" for name in OLD_OPTIMIZERS), "optimizers"),
    "optimizer_v2.optimizer_v2": "optimizers",
    "optimizer_v2.learning_rate_schedule": "optimizers.schedules",
}
TF_KERAS_HAS = ("preprocessing", "optimizers.legacy")
# What other libraries have moved since, or is not here at all.
ELSEWHERE = {
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.learning_curve": "sklearn.model_selection",
    "sklearn.externals.joblib": "joblib",
    "sklearn.externals.six": "six",
    "tensorflow.contrib": "tensorflow",
    "IPython": f"{OWN}ipython_shell",
    "IPython.core": f"{OWN}ipython_shell",
    "IPython.display": f"{OWN}ipython_display",
    "IPython.core.display": f"{OWN}ipython_display",
}


def sources_of(name: str, library: str) -> list[str]:
    """Return the modules that have what the module `name` had; empty if it is no old name.

    Args:
        name: An absolute module name.
        library: What Keras is imported as: `keras`, or `tf_keras` for an old script.
    """
    if name in ELSEWHERE:
        return [ELSEWHERE[name]]
    for prefix in (*PREFIXES, library):
        if name == prefix or name.startswith(f"{prefix}."):
            rest = name[len(prefix) + 1 :]
            break
    else:
        return []
    if rest.startswith("src.") and prefix == library:
        return []
    if library == "keras":
        return _today(prefix, rest)
    moved = [] if rest.startswith(TF_KERAS_HAS) else [MOVED[rest]] if rest in MOVED else []
    # old names first: `layers.core` had all that `layers` has, tf-keras keeps but a part there
    known = [*moved, rest, *([f"src.{rest}"] if rest else [])]
    return [m for m in (_whole(library, part) for part in known) if m != name and _exists(m)]


def _today(prefix: str, rest: str) -> list[str]:
    if prefix.startswith(("tensorflow.python", "tensorflow.contrib")):
        return [_whole("keras", MOVED.get(rest, rest))]
    return [_whole("keras", MOVED[rest])] if rest in MOVED else []


def _whole(library: str, part: str) -> str:
    return part if part.startswith(OWN) else f"{library}.{part}".rstrip(".")


def _exists(module: str) -> bool:
    try:
        return module in sys.modules or importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


class LegacyFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves old names: last in `sys.meta_path`, so that real modules win.

    For a script that needs Keras 2 it comes first: no part of today's Keras may mix in.
    """

    def __init__(self, run: Run, library: str) -> None:
        self._run = run
        self._library = library
        self._specs: dict[str, Any] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for old names, None for all others."""
        if fullname.startswith(("tf_keras", *ELSEWHERE)) and _is_real(fullname, path):
            return None
        if fullname in ELSEWHERE and _asks_a_library():
            return None  # Keras and others look whether IPython is there, and do without
        if fullname.startswith("tensorflow.") and _is_being_imported("tensorflow"):
            return None  # TensorFlow has an old Keras inside, for itself
        if not sources_of(fullname, self._library):
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return the module that the old name means, or one with the names of all of them."""
        sources = [importlib.import_module(m) for m in sources_of(spec.name, self._library)]
        if self._library == "keras" or spec.name in ELSEWHERE:
            self._run.note(f"the old import {spec.name} was served by {sources[0].__name__}")
        if len(sources) == 1 and self._library != "keras":
            self._specs[spec.name] = sources[0].__spec__
            return sources[0]
        module = types.ModuleType(spec.name)
        for source in reversed(sources):
            names = {k: v for k, v in vars(source).items() if not k.startswith("__")}
            module.__dict__.update(names)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Make the module reachable from its parent; a module with two names keeps its own."""
        name = module.__spec__.name if module.__spec__ else module.__name__
        if name in self._specs:
            module.__spec__ = self._specs.pop(name)
        parent, _, last = name.rpartition(".")
        holder: Any = sys.modules.get(parent)
        if holder is not None and not hasattr(holder, last):
            setattr(holder, last, module)


def serve_attributes(keras: Any, patches: Patches) -> None:
    """Let old modules be found without an import of their own: `keras.layers.core.Dense`."""
    for holder in {name.rpartition(".")[0] for name in MOVED}:
        module = sys.modules.get(_whole(keras.__name__, holder))
        if module is not None:
            patches.add(module, "__getattr__", _attribute_of(module.__name__, holder))


def _attribute_of(module: str, holder: str) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        if (f"{holder}.{name}" if holder else name) not in MOVED:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return importlib.import_module(f"{module}.{name}")

    return find


def _is_being_imported(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _asks_a_library() -> bool:
    """Tell whether an installed library imports, and not the script."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name != __name__ and name.split(".")[0] != "importlib":
            return frame.f_code.co_filename.startswith(LIBRARIES)
        frame = frame.f_back
    return False


def _is_real(fullname: str, path: Sequence[str] | None) -> bool:
    return importlib.machinery.PathFinder.find_spec(fullname, path) is not None


def install(run: Run) -> None:
    """Serve old names from now on."""
    uninstall()
    place = 0 if is_legacy() else len(sys.meta_path)
    sys.meta_path.insert(place, LegacyFinder(run, library()))


def uninstall() -> None:
    """Stop serving old names."""
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, LegacyFinder)]
