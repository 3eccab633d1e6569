"""Names that people, platforms and stored records rely on change only on purpose."""

from __future__ import annotations

import pytest

from tests.external_names import FILE, collect, differences, kept


@pytest.fixture(scope="module")
def names() -> dict[str, list[str]]:
    return collect()


def test_no_external_name_is_added_or_removed_unnoticed(names: dict[str, list[str]]) -> None:
    changed = differences(kept(), names)
    assert not changed, "\n".join((*changed, "On purpose? Run `python -m tests.external_names --write`."))


def test_every_kind_of_name_is_collected(names: dict[str, list[str]]) -> None:
    """A change that hides a kind of name from the collection fails here."""
    assert {section for section, members in names.items() if not members} == set()
    assert set(names) == set(kept()), f"sections of {FILE.name} and of the collection differ"


def test_a_difference_is_shown_by_section_and_name() -> None:
    assert differences({"verbs": ["assess", "close"]}, {"verbs": ["close", "end"]}) == [
        "verbs: removed assess",
        "verbs: added end",
    ]
