"""The statistical model: features, classifiers, calibration, stored form and model card."""
