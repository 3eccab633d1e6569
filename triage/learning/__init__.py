"""Training, evaluation, the quality gate for new models, and drift."""
