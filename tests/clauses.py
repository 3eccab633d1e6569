"""The mark of a test that is evidence for a clause: `@clause("7.4")`; docs/clauses.md is built from it."""

from __future__ import annotations

import pytest


def clause(number: str) -> pytest.MarkDecorator:
    """Marks a test as evidence for a clause or annex of ISO 10002:2004 (`7.4`, `4.10`, `D`)."""
    return pytest.mark.clause(number)
