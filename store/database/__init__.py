"""Engines, transactions, locks, notifications and migrations."""
