"""Incidents and their updates and cards in the database."""
