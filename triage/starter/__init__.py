"""The starter examples, one CSV file per language; `triage.learning.examples` reads them."""
