"""Telegram, where complainants speak with us: a door to the dialogue, and the voice of what we owe them."""
