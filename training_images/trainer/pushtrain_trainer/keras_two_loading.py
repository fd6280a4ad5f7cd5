"""How tf-keras hands data to a fit; `keras_three_loading` has the same functions for Keras 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tf_keras.src.callbacks import CallbackList
from tf_keras.src.engine import data_adapter

from pushtrain_trainer.data_order import DataOrder, epoch_order
from pushtrain_trainer.keras_batches import (
    SHUFFLED_BATCHES,
    ReadOn,
    is_training,
    shuffle_by,
    skip_used,
    tell_between,
)
from pushtrain_trainer.keras_callback_list import watch_list
from pushtrain_trainer.patches import Patches

if TYPE_CHECKING:
    from pushtrain_trainer.keras_fit import Fit
    from pushtrain_trainer.keras_fits import Fits


class ResumedAt:
    """Stands for Keras' own backup, which tells fit where to start."""

    def __init__(self, epoch: int, step: int) -> None:
        self._epoch = epoch
        self._step = step

    def maybe_load_initial_counters_from_ckpt(self, *_: Any, **__: Any) -> tuple[int, int]:
        """Return epoch and step, both 0-based."""
        return self._epoch, self._step


def start_at(fit: Fit, model: Any) -> None:
    """Let the fit that is about to begin start where its checkpoint is."""
    assert fit.found is not None
    model._training_state = ResumedAt(fit.order.epoch, fit.found.data["batch"])
    fit.order.skip = fit.found.data["seen"]
    fit.order.first_pass = fit.found.data["pass"]


def started(model: Any) -> None:
    """Forget what `start_at` set."""
    if isinstance(model._training_state, ResumedAt):
        model._training_state = None


def batches_of_epoch(fit: Fit) -> int:
    """Return how many batches an epoch has, 0 where that is not known."""
    return int(getattr(fit.loader, "inferred_steps", 0) or 0)


def place_of_data(fit: Fit, batch: int) -> dict[str, Any]:
    """Return which pass over the data is under way, and how many batches of it are used.

    Args:
        fit: The fit.
        batch: How many batches of the epoch under way are done, 0 between two epochs.
    """
    steps = int(fit.arguments.get("steps_per_epoch") or 0)
    adapter = getattr(fit.loader, "_adapter", None)
    if steps < 1 or adapter is None or adapter.should_recreate_iterator():
        return {"pass": None, "seen": batch}  # each epoch is a pass
    start = int(fit.arguments.get("initial_epoch") or 0)
    seen = (fit.order.epoch - start + (0 if batch else 1)) * steps + batch
    if not isinstance(adapter, data_adapter.TensorLikeDataAdapter):
        return {"pass": None, "seen": seen}  # all epochs are one pass
    passes, seen = divmod(seen, adapter.get_size())
    return {"pass": start + passes, "seen": seen}


def wait_for_callbacks(fit: Fit) -> None:
    """Wait until callbacks that Keras calls in threads have seen all batches: none are."""


def control_order(fits: Fits, patches: Patches) -> None:
    """Let fits on arrays draw their order from `epoch_order`, and see all fits batch by batch."""

    def make_adapter(original: Any) -> Any:
        def init(adapter: Any, *args: Any, **kwargs: Any) -> None:
            fit = fits.current
            if fit is None or fit.element_spec is not None or not fits.run.trusted:
                original(adapter, *args, **kwargs)  # no fit, or its validation data
            else:
                _in_our_order(fit, original, adapter, args, kwargs)

        return init

    def make_handler(original: Any) -> Any:
        def init(handler: Any, *args: Any, **kwargs: Any) -> None:
            original(handler, *args, **kwargs)
            fit = fits.current
            if fit is not None and fit.loader is None:
                fit.loader = handler
                fit.element_spec = getattr(handler._dataset, "element_spec", None)

        return init

    patches.wrap(data_adapter.TensorLikeDataAdapter, "__init__", make_adapter)
    patches.wrap(data_adapter.DataHandler, "__init__", make_handler)
    patches.wrap(data_adapter.DataHandler, "enumerate_epochs", _loop(fits, _epochs))
    patches.wrap(data_adapter.DataHandler, "steps", _loop(fits, _steps))
    watch_list(fits, patches, CallbackList)


def _loop(fits: Fits, ours: Any) -> Any:
    def make(original: Any) -> Any:
        def loop(handler: Any) -> Any:
            if fits.current is None or not is_training(fits, handler):
                return original(handler)
            return ours(fits, handler, original)

        return loop

    return make


def _steps(fits: Fits, handler: Any, original: Any) -> Any:
    fit = fits.current
    assert fit is not None
    for step in original(handler):
        tell_between(fit, step)
        yield step


def _epochs(fits: Fits, handler: Any, original: Any) -> Any:
    fit = fits.current
    assert fit is not None
    whole, steps = handler._dataset, handler._inferred_steps
    is_array = isinstance(handler._adapter, data_adapter.TensorLikeDataAdapter)
    # arrays leave out what is used by themselves (`skip_used`)
    skip = 0 if is_array else fit.order.take_skip()
    if skip and not handler._adapter.should_recreate_iterator():
        handler._dataset = ReadOn(whole, skip, fits.run.beat)
    elif skip and hasattr(whole, "skip"):
        handler._dataset = whole.skip(skip)  # Keras asks it for its length
    for epoch in original(handler):
        if skip:
            # Keras may have counted the steps of the rest
            handler._dataset, handler._inferred_steps, skip = whole, steps, 0
        yield epoch


def _in_our_order(
    fit: Fit, original: Any, adapter: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    # Keras traces both while the adapter is made, so they are replaced for this call only
    patches = Patches()
    shuffle = shuffle_by(_orders(fit.order), data_adapter.tf.random.shuffle)
    patches.set(data_adapter.tf.random, "shuffle", shuffle)
    skip_used(fit, patches)
    try:
        original(adapter, *args, **kwargs)
    finally:
        patches.undo()
    fit.uncontrolled = SHUFFLED_BATCHES if adapter._shuffle == "batch" else ""


def _orders(data: DataOrder) -> Any:
    passes: list[int] = []

    def order(size: int) -> Any:
        # one iterator serves all epochs and prepares the next one ahead, so it counts by itself
        passes.append(passes[-1] + 1 if passes else data.begin_pass())
        return epoch_order(data.seed, passes[-1], size)

    return order
