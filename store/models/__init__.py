"""Trained models, training examples and training history."""
