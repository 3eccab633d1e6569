"""Text in, proposed initial assessment out (clause 7.5): safety rules, a calibrated model, reasons, doubt.

This room knows nothing of chats or tables. Importing it is cheap: scikit-learn is loaded by
`triage.learning.training`, `triage.model.artefact` and `triage.proposal` only, so the safety rules run in the
transaction of every message without it.
"""
