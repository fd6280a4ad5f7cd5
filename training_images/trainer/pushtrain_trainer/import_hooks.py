"""Calls a hook once a library has been imported, so that a script pays only for what it uses."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pushtrain_trainer.run_state import Run


def after_import(run: Run, library: str, hooks: str) -> None:
    """Install the module `hooks` when `library` has been imported.

    The module has `install(run, library)` and `uninstall()`. If installing fails, it is undone
    and the script goes on plain.
    """
    import wrapt  # here: unit tests of the other modules run without it

    def imported(module: Any) -> None:
        hook = importlib.import_module(hooks)
        try:
            hook.install(run, module)
        except Exception as error:  # the library is not as we know it; the script must not suffer
            hook.uninstall()
            run.give_up(f"the hook of {library}", error)

    wrapt.register_post_import_hook(imported, library)
