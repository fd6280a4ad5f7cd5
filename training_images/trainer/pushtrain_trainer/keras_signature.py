"""What a checkpoint has to agree with to be used for a fit."""

from __future__ import annotations

import hashlib
import json
from typing import Any

# Names differ between attempts when a finished fit is skipped; seeds are restored as variables.
NOT_SIGNED = frozenset({"name", "seed", "build_config", "build_input_shape", "registered_name"})


def signature(model: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint has to agree with to be used for this fit."""
    try:
        architecture = _strip(model.get_config())
    except Exception:  # a model written by hand needs no config; its layers tell enough
        architecture = [type(layer).__name__ for layer in model.layers]
    text = json.dumps(architecture, sort_keys=True)
    return {
        "model": type(model).__name__,
        "architecture": hashlib.sha256(text.encode()).hexdigest(),
        "optimizer": type(model.optimizer).__name__,
        "epochs": arguments["epochs"],
        "batch size": arguments["batch_size"],
        "data shape": [str(n) for n in getattr(arguments["x"], "shape", ())],
    }


def _strip(config: Any) -> Any:
    if isinstance(config, dict):
        return {str(k): _strip(v) for k, v in config.items() if k not in NOT_SIGNED}
    if isinstance(config, (list, tuple)):
        return [_strip(item) for item in config]
    plain = config is None or isinstance(config, (bool, int, float, str))
    return config if plain else type(config).__name__
