"""Rules that detect danger and staff names in a message."""
