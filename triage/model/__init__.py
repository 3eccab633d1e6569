"""The statistical model: features, classifiers, calibration, neighbours, metrics, model card and artefact."""
