"""Push a training script; it trains until it is good."""
