"""Acts on many complaints: the letter about a change, one text to a list, and moving a list."""
