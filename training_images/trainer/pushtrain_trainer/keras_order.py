"""The order of the data as a function of (seed of the fit, epoch), instead of a running generator.

So a fit that goes on at epoch n sees the batches that an uninterrupted one would have seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy
import tensorflow
from keras.src.trainers import data_adapters

from pushtrain_trainer.patches import Patches

if TYPE_CHECKING:
    from pushtrain_trainer.keras_fits import Fit, Fits


ADAPTERS = ("ArrayDataAdapter", "TFDatasetAdapter", "PyDatasetAdapter", "GeneratorDataAdapter")


def epoch_order(seed: int, epoch: int, size: int) -> Any:
    """Return the order of `size` samples in an epoch (0-based), always the same."""
    return numpy.random.Generator(numpy.random.PCG64([seed, epoch])).permutation(size)


def control_order(fits: Fits, patches: Patches) -> None:
    """Let fits on arrays draw their order from `epoch_order`."""

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


def _ordered_dataset(fit: Fit, original: Any, adapter: Any) -> Any:
    if adapter._shuffle == "batch":
        fit.uncontrolled = "shuffle='batch' draws its order from a running generator"
        return original(adapter)
    fit.uncontrolled = ""
    if not adapter._shuffle:
        return original(adapter)

    def order(indices: Any) -> Any:
        return epoch_order(fit.order_seed, fit.epoch, len(indices)).astype(indices.dtype)

    def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
        shuffled = tensorflow.numpy_function(order, [value], value.dtype)
        shuffled.set_shape(value.shape)
        return shuffled

    # Keras traces the shuffle while the data set is made, so it is replaced for this call only
    patches = Patches()
    patches.set(tensorflow.random, "shuffle", shuffle)
    try:
        return original(adapter)
    finally:
        patches.undo()
