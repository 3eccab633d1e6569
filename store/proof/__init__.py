"""Hash chains, checkpoints, keys, verification, erasure and retention."""
