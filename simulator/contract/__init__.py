"""Extracts of the platforms' specifications; NOTICE names their sources."""
