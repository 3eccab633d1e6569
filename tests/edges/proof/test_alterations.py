"""Whoever has only the database changes no row unnoticed: random alterations of every table, each named.

`python -m benchmarks alterations` makes a thousand on each database, and plays the holder of all keys.
"""

from __future__ import annotations

import random

import pytest

from store.custody.verify import verify
from tests.databases import LONG
from tests.edges.alterations import full_record, try_alterations

pytestmark = pytest.mark.filterwarnings("ignore")


def test_every_alteration_by_somebody_without_a_key_is_reported_with_its_owner(database_url: str) -> None:
    record = full_record(database_url, random.Random(2026))
    assert record.store.read(verify).problems == ()
    trials = try_alterations(record, 1000 if LONG else 20, random.Random(2026))
    assert [trial for trial in trials if trial.fault] == []
    assert record.store.read(verify).problems == ()
    record.store.close()
