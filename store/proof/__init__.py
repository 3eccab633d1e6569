"""Hash chains of events, and the signed checkpoints over them."""
