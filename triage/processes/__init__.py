"""Processes of their own for what takes memory and time (decision 78)."""
