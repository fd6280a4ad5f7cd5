"""How Keras 3 hands data to a fit; `keras_two_loading` has the same functions for tf-keras."""

from __future__ import annotations

import concurrent.futures
import random
from typing import TYPE_CHECKING, Any

import tensorflow
from keras.src.backend.tensorflow.trainer import TFEpochIterator
from keras.src.callbacks import CallbackList
from keras.src.trainers import data_adapters
from keras.src.trainers.data_adapters import py_dataset_adapter

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

ADAPTERS = ("ArrayDataAdapter", "TFDatasetAdapter", "PyDatasetAdapter", "GeneratorDataAdapter")


LEAVE_OUT = (data_adapters.ArrayDataAdapter, data_adapters.PyDatasetAdapter)


class BatchOrders:
    """Takes the place of the module `random` where Keras shuffles the batches of a PyDataset.

    The batches that an earlier attempt has used are not asked for again. With several processes
    or threads the order is drawn in a thread of Keras' own.
    """

    def __init__(self, fits: Fits) -> None:
        self._fits = fits

    def shuffle(self, indices: list[int]) -> None:
        """Put the indices of an epoch's batches in its order; only training data is shuffled."""
        fit = self._fits.current
        if fit is None or not self._fits.run.trusted:
            random.shuffle(indices)
            return
        order = fit.order.of_next_pass(len(indices)).tolist()
        ordered = indices if fit.in_order else [indices[i] for i in order]
        indices[:] = ordered[fit.order.take_skip() :]


def start_at(fit: Fit, model: Any) -> None:
    """Let the fit that is about to begin start where its checkpoint is."""
    assert fit.found is not None
    # read by Keras after on_train_begin, as its own BackupAndRestore uses it
    model._initial_epoch = fit.order.epoch
    fit.start_batch = fit.found.data["batch"]
    fit.order.skip = fit.found.data["seen"]
    fit.order.first_pass = fit.found.data["pass"]
    adapter = getattr(fit.loader, "data_adapter", None)
    is_sequence = isinstance(adapter, data_adapters.PyDatasetAdapter)
    if adapter is not None and is_sequence and adapter.num_batches and not adapter.shuffle:
        # only what is shuffled asks `BatchOrders`, which is told to keep the order
        fit.in_order = True
        adapter.shuffle = True
        if adapter.enqueuer is not None:
            adapter.enqueuer.shuffle = True


def started(model: Any) -> None:
    """Forget what `start_at` set."""
    model._initial_epoch = None


def batches_of_epoch(fit: Fit) -> int:
    """Return how many batches an epoch has, 0 where that is not known."""
    return int(getattr(fit.loader, "num_batches", 0) or 0)


def place_of_data(fit: Fit, batch: int) -> dict[str, Any]:
    """Return which pass over the data is under way, and how many batches of it are used.

    Args:
        fit: The fit.
        batch: How many batches of the epoch under way are done, 0 between two epochs.
    """
    loader = fit.loader
    if loader is None or not loader.steps_per_epoch:
        return {"pass": None, "seen": batch}  # each epoch is a pass
    if not batch and loader._current_iterator is None:
        return {"pass": None, "seen": 0}  # it ran out of data, so the next epoch begins anew
    # it counts a batch before it hands it out
    seen = loader._steps_seen - (loader.steps_per_execution if batch else 0)
    return {"pass": fit.order.pass_epoch if seen else None, "seen": seen}


def wait_for_callbacks(fit: Fit) -> None:
    """Wait until callbacks that Keras calls in threads have seen all batches so far."""
    futures = list(getattr(fit.callback_list, "_futures", ()))
    concurrent.futures.wait(futures)


def control_order(fits: Fits, patches: Patches) -> None:
    """Let fits on arrays draw their order from `epoch_order`, and see all fits batch by batch."""

    def make(original: Any) -> Any:
        def get_tf_dataset(adapter: Any) -> Any:
            fit = fits.current
            if fit is None or fit.element_spec is not None or not fits.run.trusted:
                return original(adapter)  # no fit, or its validation data
            is_array = isinstance(adapter, data_adapters.ArrayDataAdapter)
            dataset = _ordered_dataset(fit, original, adapter) if is_array else original(adapter)
            fit.element_spec = getattr(dataset, "element_spec", None)
            return dataset

        return get_tf_dataset

    for name in ADAPTERS:
        patches.wrap(getattr(data_adapters, name), "get_tf_dataset", make)
    patches.set(py_dataset_adapter, "random", BatchOrders(fits))
    watch_batches(fits, patches)


def _ordered_dataset(fit: Fit, original: Any, adapter: Any) -> Any:
    in_batches = adapter._shuffle == "batch"
    fit.uncontrolled = SHUFFLED_BATCHES if in_batches else ""
    # Keras traces both while the data set is made, so they are replaced for this call only
    patches = Patches()
    skip_used(fit, patches)
    if adapter._shuffle and not in_batches:
        shuffle = shuffle_by(fit.order.of_next_pass, tensorflow.random.shuffle)
        patches.set(tensorflow.random, "shuffle", shuffle)
    try:
        return original(adapter)
    finally:
        patches.undo()


def watch_batches(fits: Fits, patches: Patches) -> None:
    """Let the fit under way know its loader, the batches it hands out and its callbacks."""

    def make_init(original: Any) -> Any:
        def init(loader: Any, *args: Any, **kwargs: Any) -> None:
            original(loader, *args, **kwargs)
            if fits.current is not None and fits.current.loader is None:
                fits.current.loader = loader

        return init

    def make_batches(original: Any) -> Any:
        def enumerate_iterator(loader: Any) -> Any:
            if fits.current is None or not is_training(fits, loader):
                return original(loader)
            return _batches(fits.current, loader, original)

        return enumerate_iterator

    def make_iterator(original: Any) -> Any:
        def get_iterator(loader: Any) -> Any:
            dataset = original(loader)
            fit = fits.current
            # these leave out what is used by themselves (`skip_used`, `BatchOrders`)
            adapter = loader.data_adapter
            leaves_out = isinstance(adapter, LEAVE_OUT) and adapter.num_batches
            if fit is None or leaves_out or not is_training(fits, loader):
                return dataset
            skip = fit.order.take_skip()
            return ReadOn(dataset, skip, fits.run.beat) if skip else dataset

        return get_iterator

    patches.wrap(TFEpochIterator, "__init__", make_init)
    patches.wrap(TFEpochIterator, "_enumerate_iterator", make_batches)
    patches.wrap(TFEpochIterator, "_get_iterator", make_iterator)
    watch_list(fits, patches, CallbackList)


def _batches(fit: Fit, loader: Any, original: Any) -> Any:
    first, fit.start_batch = fit.start_batch, 0
    used = fit.order.skip
    if used and loader.steps_per_epoch:
        # this pass began in an epoch before, so Keras must not begin one
        loader._current_iterator = iter(loader._get_iterator())
        loader._steps_seen = used - first
    for step in original(loader):
        if step[0] >= first:
            tell_between(fit, step[0])
            yield step
