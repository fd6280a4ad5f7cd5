"""What both dialects share where data is handed to a fit batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy
import tensorflow

from pushtrain_trainer.patches import Patches

if TYPE_CHECKING:
    from pushtrain_trainer.beat import Beat
    from pushtrain_trainer.keras_fit import Fit
    from pushtrain_trainer.keras_fits import Fits

SHUFFLED_BATCHES = "shuffle='batch' draws its order from a running generator"


def is_training(fits: Fits, loader: Any) -> bool:
    """Return whether `loader` hands out the training data of the fit under way."""
    return fits.current is not None and fits.current.loader is loader and fits.run.trusted


def tell_between(fit: Fit, batch: int) -> None:
    """Tell the keeper, if there is one yet, that `batch` batches of the epoch are done."""
    if fit.between is not None:
        fit.between(batch)


def shuffle_by(orders: Any, original: Any) -> Any:
    """Return a function in the place of `tensorflow.random.shuffle` that asks `orders`.

    Args:
        orders: Returns the order for a number of samples.
        original: What shuffles all that is no list of samples.
    """

    def order(indices: Any) -> Any:
        return orders(len(indices)).astype(indices.dtype)

    def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
        if value.shape.rank != 1:
            return original(value, seed, name)  # shuffle="batch" mixes the samples of a batch
        shuffled = tensorflow.numpy_function(order, [value], value.dtype)
        shuffled.set_shape(value.shape)
        return shuffled

    return shuffle


class ReadOn:
    """A data set whose iterators have read on to the place where an earlier attempt stood.

    A stream can be read only from its beginning, which may take long: meanwhile it is told that
    the training is well.

    Args:
        dataset: The whole.
        skip: How many batches are read and left out.
        beat: The heartbeat.
    """

    def __init__(self, dataset: Any, skip: int, beat: Beat) -> None:
        self._dataset = dataset
        self._skip = skip
        self._beat = beat

    def __iter__(self) -> Any:
        iterator = iter(self._dataset)
        for _ in range(self._skip):
            if next(iterator, None) is None:
                break
            if self._beat.is_due:
                self._beat.waits()
        return iterator


def skip_used(fit: Fit, patches: Patches) -> None:
    """Let a data set of arrays leave out batches that an earlier attempt has used.

    Keras cuts a list of indices into batches by `flat_map`, so leaving some out reads nothing.
    """
    order = fit.order  # alone: TensorFlow keeps `take` until the process ends

    def take(*_: Any) -> Any:
        return numpy.int64(order.take_skip())

    def make(original: Any) -> Any:
        def flat_map(dataset: Any, map_func: Any, *args: Any, **kwargs: Any) -> Any:
            def cut(*element: Any) -> Any:
                count = tensorflow.numpy_function(take, [], tensorflow.int64)
                count.set_shape([])
                return map_func(*element).skip(count)

            return original(dataset, cut, *args, **kwargs)

        return flat_map

    if fit.goes_on_inside:
        patches.wrap(tensorflow.data.Dataset, "flat_map", make)
