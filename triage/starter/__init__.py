"""The starter examples, one plain file for each language; `triage.starters` reads them."""
