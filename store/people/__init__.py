"""Complainants, staff and their identifiers in the database."""
