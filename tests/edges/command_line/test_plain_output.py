"""What commands print for people is in words: no codes, tables of the program, instants in UTC, or None."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amends.documents.facts import basis_words, fact_lines, value_words
from amends.documents.labels import load_labels
from complaints.vocabulary import (
    CloseCode,
    Finding,
    Role,
    State,
    Verb,
)
from reports.words import in_words
from tests.edges.desk import Desk
from tests.edges.product import Product
from tests.edges.product_desk import desk_of

RAW = re.compile(
    r"[a-z]+_[a-z_]+|\b\d+ (?:bd|wh)\b|\bq\d\b|\bNone\b|\bTrue\b|\bFalse\b|[{}\[\]]|\d{4}-\d\d-\d\dT\d\d:\d\d"
)
LABELS = {
    language: load_labels((language,), "Europe/London", staff=True) for language in ("en", "tr", "de", "es")
}
CODES = [
    *(str(code.value) for family in (State, Verb, Role, Finding, CloseCode) for code in family),
    "2026-11-05T09:30:00.123456Z", "2026-11-05", "10 bd", "4 wh", "all_of_us", "where_and_when", "q2",
]  # fmt: skip
NAMES = [
    "target", "state", "finding", "findings", "close_code", "field", "rule", "extended_to", "due", "issues",
    "alternatives", "probability", "severity", "evidence", "language", "remedies", "by_whom", "new_fact",
    "kind", "role", "opening", "erased", "language_confirmed",
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 1) | st.sampled_from(CODES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=4), st.sampled_from(sorted(LABELS)))
@example({"severity": "2026-11-05T09:30:00.123456Z"}, "de")
def test_any_facts_are_shown_in_words(facts: dict[str, Any], language: str) -> None:
    for line in fact_lines(facts, LABELS[language]):
        assert not RAW.search(line), line


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ended as answered_no_reply 7 of 7", "ended as answered, no reply 7 of 7"),
        ("q1 answered with 4 or 5", "survey question 1 answered with 4 or 5"),
        ("≤ 8 bd | 1 bd", "≤ 8 working days | 1 working day"),
        ("Set by system: communicate_decision.", "Set by system: communicate decision."),
        ("Rule P3.first_action: 3 bd.", "Rule P3.first action: 3 working days."),
    ],
)
def test_reports_put_codes_into_words(code: str, words: str) -> None:
    assert in_words(code) == words


@pytest.fixture
def desk(product: Product) -> Iterator[Desk]:
    """A desk that works on it."""
    with desk_of(product, datetime(2026, 3, 4, 10, tzinfo=UTC)) as opened_desk:
        yield opened_desk


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("case", "list"),
    ("case", "show", "REF"),
    ("case", "history", "REF"),
    ("case", "due", "REF"),
    ("clauses",),
    ("clauses", "--case", "REF"),
    ("report", "monitoring"),
    ("outbox", "list", "--all"),
    ("inbox", "list"),
    ("privacy", "purge", "--dry-run"),
    ("db", "verify"),
)


async def test_no_command_prints_codes_or_the_programs_own_values(product: Product, desk: Desk) -> None:
    ref = desk.closed()
    for command in COMMANDS:
        printed = await product.amends(*(ref if word == "REF" else word for word in command))
        assert "fault in Amends" not in printed.err
        raw = [line for line in printed.out.splitlines() if RAW.search(line.replace("[privacy]", ""))]
        assert raw == [], command


async def test_due_times_name_acts_people_and_rules_in_words(product: Product, desk: Desk) -> None:
    printed = (await product.amends("case", "due", desk.closed())).out

    assert "Received (the complainant)." in printed
    assert "Rule P3, assessment by a person: " in printed
    assert not re.search(r"\b(receive|assess|respond|P\d\.\w+)\b", printed)


async def test_a_record_names_every_field_and_the_complainant_in_words(product: Product, desk: Desk) -> None:
    ref = desk.closed()
    person = desk.case(ref).complainant
    shown = (await product.amends("case", "show", ref)).out
    history = (await product.amends("case", "history", ref)).out

    assert [
        line for line in shown.splitlines() if person in line and "Number of the person" not in line
    ] == []
    assert "is simulation" not in shown
    assert "Survey" in shown
    assert "Number of the message in the channel: " in history
    assert not re.search(r"\bsource: ", history)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("verb", "disagree", "Disagreed"),
        ("question", "q3", "question 3"),
        ("immediate_needed", "no", "hayır"),
        ("reason", "plain_facts", "No words about a dispute"),
        ("value", "2026-03-02/2026-03-08", "2 March 2026"),
        ("basis", "P3.first_action", "P3 first human contact"),
        ("text", "refund", "refund"),
    ],
)
def test_codes_are_shown_in_words_and_words_of_people_as_they_are(name: str, value: str, words: str) -> None:
    language = "tr" if words == "hayır" else "en"
    assert words in value_words(name, value, LABELS[language])


def test_a_promised_length_in_the_basis_of_a_due_time_is_in_the_language_of_the_document() -> None:
    assert " ".join(basis_words("P3.decide, promised 20 bd", LABELS["en"])).endswith(
        "promised 20 working days"
    )
    assert " ".join(basis_words("P3.decide, promised 20 bd", LABELS["de"])).endswith(
        "zugesagt 20 Arbeitstage"
    )
