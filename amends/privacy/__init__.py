"""A copy of a person's own data, as they may request it (8.1)."""
