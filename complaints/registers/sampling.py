"""The sample of an audit: random, but the same for the same seed, so that anybody can draw it again (8.5)."""

from collections.abc import Iterable
from hashlib import sha256


def rank_sample(refs: Iterable[str], seed: str) -> list[str]:
    """All references in the order in which this seed draws them."""
    return sorted(refs, key=lambda ref: (sha256(f"{seed}|{ref}".encode()).digest(), ref))
