"""One call of `fit`: what it is, where it stands, and the place of its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import tensorflow

from pushtrain_trainer.checkpoints import Checkpoint, Checkpoints
from pushtrain_trainer.data_order import DataOrder
from pushtrain_trainer.used_keras import keras

VALIDATION_STREAM = "validation data that are no arrays can not be repeated"


def _is_in_memory(data: Any) -> bool:
    return data is None or isinstance(data, (int, float, str, bytes)) or hasattr(data, "shape")


@dataclass
class Fit:
    """One call of `fit`.

    Attributes:
        number: From 1, in the order of the calls.
        order: The order of the data, and the epoch under way.
        element_spec: Shapes and types of a batch, once the data set was made.
        loader: Keras' own iterator over the training data, once it was made.
        uncontrolled: Why the order of the data is not ours; empty if it is.
        found: The checkpoint to start from, None to start anew.
        between: Called in the main thread between two batches with the number of those done.
        callback_list: What calls the callbacks, once the training has begun.
        start_batch: Batches of the first epoch that an earlier attempt has done.
        in_order: Whether a PyDataset is asked for its batches in their own order.
    """

    number: int
    epochs: int
    signature: dict[str, Any]
    history: Any
    callbacks: list[Any]
    checkpoints: Checkpoints
    order: DataOrder
    element_spec: Any = None
    loader: Any = None
    uncontrolled: str = "the order of data that is no array can not be repeated"
    found: Checkpoint | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    between: Callable[[int], None] | None = None
    callback_list: Any = None
    start_batch: int = 0
    in_order: bool = False

    @property
    def stateful(self) -> list[Any]:
        """The callbacks whose state a checkpoint keeps: the history is kept by itself."""
        # CSVLogger's state is its file, which it appends to
        return [
            callback
            for callback in self.callbacks
            if callback is not self.history and not isinstance(callback, keras.callbacks.CSVLogger)
        ]

    @property
    def inexact(self) -> list[str]:
        """Why this fit, gone on with or skipped, may leave other things behind than it would have.

        A stream of data that it has read, or drawn from, stands at its beginning once more.
        """
        assert self.found is not None
        validation = tensorflow.nest.flatten(self.arguments["validation_data"])
        streams = [] if all(map(_is_in_memory, validation)) else [VALIDATION_STREAM]
        return [*filter(None, [self.uncontrolled]), *streams, *self.found.data["partial"]]

    @property
    def is_finished(self) -> bool:
        """Whether an earlier attempt finished this fit."""
        return self.found is not None and bool(self.found.data["done"])

    @property
    def goes_on_inside(self) -> bool:
        """Whether the checkpoint stands in the middle of a pass over the data."""
        return self.found is not None and bool(self.found.data["batch"] or self.found.data["seen"])

    def begin_again(self) -> None:
        """Forget the checkpoint and the data that were prepared for it."""
        self.found = None
        self.element_spec = None
        self.loader = None
        self.callback_list = None

    def let_go(self) -> None:
        """Forget, after the end, all that leads to the data and the model."""
        self.begin_again()
        self.arguments = {}
        self.callbacks = []
        self.history = None
        self.between = None
