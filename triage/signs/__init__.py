"""The safety rules, one plain file for each language; README.md says how a rule is written."""
