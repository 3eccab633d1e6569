"""Backup, restore and moving a record between databases."""
