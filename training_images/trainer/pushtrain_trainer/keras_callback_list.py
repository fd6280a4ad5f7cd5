"""Knows the list that calls the callbacks of the fit under way, and what it tells at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pushtrain_trainer.patches import Patches

if TYPE_CHECKING:
    from pushtrain_trainer.keras_fits import Fits


def watch_list(fits: Fits, patches: Patches, callback_list: Any) -> None:
    """Patch Keras' own `CallbackList`."""

    def make_begin(original: Any) -> Any:
        def on_train_begin(callbacks: Any, logs: Any = None) -> None:
            # the first one: a fit that a callback begins has a list of its own
            if fits.current is not None and fits.current.callback_list is None:
                fits.current.callback_list = callbacks
            original(callbacks, logs)

        return on_train_begin

    def make_end(original: Any) -> Any:
        def on_train_end(callbacks: Any, logs: Any = None) -> None:
            fit = fits.current
            if logs is None and fit is not None and fit.callback_list is callbacks:
                logs = _last_logs(fit.history)
            original(callbacks, logs)

        return on_train_end

    patches.wrap(callback_list, "on_train_begin", make_begin)
    patches.wrap(callback_list, "on_train_end", make_end)


def _last_logs(history: Any) -> dict[str, Any] | None:
    """Return the figures of the last epoch, None where there was none.

    A fit that goes on behind its last epoch trains none, so Keras itself has no figures to tell.
    """
    return {name: figures[-1] for name, figures in history.history.items() if figures} or None
