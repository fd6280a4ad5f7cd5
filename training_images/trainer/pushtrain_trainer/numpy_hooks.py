"""Seeds NumPy's global generator and gives old scripts the names that NumPy dropped."""

from __future__ import annotations

from typing import Any

from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run

DROPPED = {"float": float, "int": int, "object": object, "complex": complex, "str": str}
_patches = Patches()


def install(run: Run, numpy: Any) -> None:
    """Seed, and add what is missing."""
    numpy.random.seed(run.seed % 2**32)
    for name, value in DROPPED.items():
        if name not in vars(numpy):
            _patches.set(numpy, name, value)


def uninstall() -> None:
    """Take the names away again."""
    _patches.undo()
