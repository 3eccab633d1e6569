"""Phrase tables for intent, criteria, facts and abbreviations, one file per subject and language; see README.md."""
