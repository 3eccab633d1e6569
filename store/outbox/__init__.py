"""Obligations as rows: claiming, completing, failures, deliveries and rate limits."""
