"""The order of the data as a function of (seed of the fit, epoch), instead of a running generator.

So a fit that goes on at epoch n sees the batches that an uninterrupted one would have seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy


def epoch_order(seed: int, epoch: int, size: int) -> Any:
    """Return the order of `size` samples in an epoch (0-based), always the same."""
    return numpy.random.Generator(numpy.random.PCG64([seed, epoch])).permutation(size)


def order_seed(number: int) -> int:
    """Return a seed that follows the script's own seeding of NumPy, which it does not advance.

    Args:
        number: The number of the fit.
    """
    state = numpy.random.get_state(legacy=False)["state"]
    digest = hashlib.sha256(state["key"].tobytes() + f"{state['pos']}:{number}".encode())
    return int.from_bytes(digest.digest()[:8], "big")


@dataclass
class DataOrder:
    """The orders that the passes of one fit over its data have.

    TensorFlow keeps what its data sets call until the process ends, so this knows neither the fit
    nor its data nor its model.

    Attributes:
        seed: With the epoch it gives the order of the data.
        epoch: The epoch under way, 0-based.
        skip: Batches that the first pass leaves out.
        first_pass: Epoch whose order the first pass has; None: that of the epoch under way.
        pass_epoch: Epoch whose order the pass under way has.
    """

    seed: int
    epoch: int = 0
    skip: int = 0
    first_pass: int | None = None
    pass_epoch: int = 0

    def take_skip(self) -> int:
        """Return how many batches the pass that begins leaves out; later ones leave out none."""
        skip, self.skip = self.skip, 0
        return skip

    def begin_pass(self) -> int:
        """Return the epoch whose order the pass over the data that begins has."""
        first, self.first_pass = self.first_pass, None
        self.pass_epoch = self.epoch if first is None else first
        return self.pass_epoch

    def of_next_pass(self, size: int) -> Any:
        """Return the order of `size` samples in the pass that begins."""
        return epoch_order(self.seed, self.begin_pass(), size)
