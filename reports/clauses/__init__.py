"""Every clause and annex of ISO 10002 with its control, code and tests, and the evidence in the record."""
