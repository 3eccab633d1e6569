"""The error that ends a running process from the inside."""

from __future__ import annotations


class OutsideFailed(Exception):
    """A service that the product needs refuses it or stopped answering; the message names it and the remedy."""
