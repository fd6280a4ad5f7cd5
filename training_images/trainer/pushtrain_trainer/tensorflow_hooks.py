"""Seeds TensorFlow's operations, before the script may seed them itself."""

from __future__ import annotations

from typing import Any

from pushtrain_trainer.run_state import Run


def install(run: Run, tensorflow: Any) -> None:
    """Seed the operations that the script gives no seed."""
    tensorflow.random.set_seed(run.seed)


def uninstall() -> None:
    """Leave the seed: a seeded run is one of those that could have been."""
