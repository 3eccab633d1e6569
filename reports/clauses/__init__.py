"""The count: every clause and annex of ISO 10002 with control, code, tests and today's evidence."""
