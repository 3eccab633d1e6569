"""Masked copies of words: without names, phones, addresses and numbers of persons (4.9)."""
