"""The starter examples, one plain file for each language; `triage.learning.examples` reads them."""
