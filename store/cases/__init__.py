"""Complaints in the database: recording acts, receiving messages, reading and listing."""
