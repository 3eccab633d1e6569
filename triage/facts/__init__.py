"""Find the facts in a story: which order or account, when, how much, which remedy, where (7.2).

Standard library only. The words of each language are in `triage/phrases/facts_<language>.toml`.
"""
