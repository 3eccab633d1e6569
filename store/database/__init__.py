"""Engines, transactions, keys, locks, notifications and migrations."""
