"""What the desk knows of its model before it loads one: the version of the training, and its default settings.

Here, so that a process which only schedules a training loads neither SciPy nor scikit-learn.
"""

PIPELINE = "14"
"""Part of a model's version. Increase it with every change that makes the same examples give another model."""
WANTED_PRECISION = 0.90
ALERT_RATE = 0.10
"""Default share of all cases that may raise an alert."""
LATENT_BELOW = 2_000
"""From this many labelled rows on, the latent space improves nothing (decision 10)."""
