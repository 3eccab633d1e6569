"""The safety rules, one file per language; README.md says how a rule is written."""
