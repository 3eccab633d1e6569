"""Verifying the record, rotating its keys, and erasing what may not be kept."""
