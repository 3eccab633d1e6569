"""Why a running desk ends by itself."""

from __future__ import annotations


class OutsideFailed(Exception):
    """A service that we depend on refuses us or went silent; the message says which and what to do."""
