"""Why an update was set aside is told in words; the code stays for whoever mends it (docs/design.md, rule 1)."""

from __future__ import annotations

import pytest

from amends.cli.inbox import explain


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("unparsed: KeyError", "not an update as Telegram describes them (KeyError)"),
        ("not_heard", "it ended without an error, and nothing was recorded"),
        ("OutOfOrder", "the rules of the record refuse it (OutOfOrder)"),
        ("SealBroken", "the store refuses it (SealBroken)"),
        ("IntegrityError", "the store refuses it (IntegrityError)"),
        ("RuntimeError", "a fault of the program: report it (RuntimeError)"),
    ],
)
def test_why_an_update_was_set_aside_is_told_in_words(why: str, told: str) -> None:
    assert explain(why) == told
