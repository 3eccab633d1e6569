"""Why an update became a dead letter, in words and with its code (docs/design.md, rule 1)."""

from __future__ import annotations

import pytest

from amends.cli.failed_work import explain


@pytest.mark.parametrize(
    ("why", "explanation"),
    [
        ("unparsed: KeyError", "not an update as Telegram describes them (KeyError)"),
        ("not_heard", "it ended without an error, and nothing was recorded"),
        ("OutOfOrder", "the rules of the record refuse it (OutOfOrder)"),
        ("SealBroken", "the store refuses it (SealBroken)"),
        ("IntegrityError", "the store refuses it (IntegrityError)"),
        ("RuntimeError", "a fault of the program: report it (RuntimeError)"),
    ],
)
def test_each_code_of_a_dead_letter_is_explained(why: str, explanation: str) -> None:
    assert explain(why) == explanation
