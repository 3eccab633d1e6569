"""Acts on many complaints at once."""
