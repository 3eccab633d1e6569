"""What the organisation shows of its complaints to the public and to regulators, and of how it keeps them (8.1)."""
