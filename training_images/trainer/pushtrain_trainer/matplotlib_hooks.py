"""Keeps Matplotlib drawing into files where a script asks for windows."""

from __future__ import annotations

from typing import Any

from pushtrain_trainer.patches import Patches
from pushtrain_trainer.run_state import Run

WITHOUT_WINDOW = frozenset({"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"})
_patches = Patches()


def install(run: Run, matplotlib: Any) -> None:
    """Let `matplotlib.use` ignore back ends that need a screen."""

    def make(original: Any) -> Any:
        def use(backend: str, **kwargs: Any) -> None:
            if str(backend).lower() in WITHOUT_WINDOW:
                original(backend, **kwargs)
            else:
                run.note(f"matplotlib.use({backend!r}) was left out: there is no screen")

        return use

    _patches.wrap(matplotlib, "use", make)


def uninstall() -> None:
    """Put Matplotlib's own function back."""
    _patches.undo()
