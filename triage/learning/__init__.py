"""Training, evaluation and the gate for a new model."""
