"""Triage: a text in, a proposed initial assessment out (clause 7.5).

It combines safety rules, a calibrated model, reasons, and "not sure" where the model is in doubt. It knows nothing of
chats or tables. Importing the package is cheap: the safety rules run in the transaction of every message, so only
`triage.proposal`, `triage.model` and `triage.learning` load scikit-learn.
"""
