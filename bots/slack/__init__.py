"""Slack, where staff handle complaints: a view of the record, never the record itself."""
