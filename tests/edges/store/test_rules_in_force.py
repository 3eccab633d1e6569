"""Rules with newer settings come into force once no older release receives messages (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from amends.wiring import RulesActivation
from bots.telegram.polling import LEADER
from complaints.rulebook import (
    ALWAYS,
    LevelTargets,
    Rulebooks,
    RulePeriod,
    as_json,
    from_json,
    later_settings,
)
from store.database.leases import acquire_leadership, release_leadership
from store.rulebooks import load_current_rulebook, load_current_rulebooks, use_rulebook, use_rulebooks
from tests.databases import FakeClock, opened
from tests.edges.desk import RULES
from tests.edges.product import until

NEWER_RULES = replace(
    RULES, targets=replace(RULES.targets, by_level={2: LevelTargets(outside_when_missed=True)})
)
CHANGED_RULES = replace(RULES, targets=replace(RULES.targets, legal="30 bd"))


@pytest.fixture(autouse=True)
def an_older_release_without_this_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    later = {"LevelTargets": frozenset({"outside_when_missed"})}
    monkeypatch.setattr("complaints.rulebook._ADDED_LATER", later)


def test_a_later_setting_at_its_default_leaves_the_id_of_older_rules_as_it_is() -> None:
    default = replace(RULES, targets=replace(RULES.targets, by_level={2: LevelTargets()}))
    assert as_json(default)["targets"]["by_level"]["2"].keys() == {"ack", "decide", "extension_cap"}
    assert as_json(NEWER_RULES)["targets"]["by_level"]["2"]["outside_when_missed"] is True
    assert from_json(as_json(default)) == default
    assert later_settings(default) == frozenset()
    assert later_settings(NEWER_RULES) == {"LevelTargets.outside_when_missed"}


async def test_rules_that_an_older_release_cannot_read_wait_while_it_receives_messages(
    postgres_url: str,
) -> None:
    with opened(postgres_url, FakeClock()) as store:
        store.write(use_rulebook, RULES)
        store.write(acquire_leadership, LEADER, "older", 60)
        rules = RulesActivation(store, Rulebooks(NEWER_RULES), "ours")

        await rules.start()
        rules_before_release = store.read(load_current_rulebook)
        store.write(release_leadership, LEADER, "older")

        await until(lambda: store.read(load_current_rulebook) == NEWER_RULES)
        assert rules_before_release == RULES
        rules.stop()


async def test_readable_rules_and_rules_of_the_only_receiving_release_are_in_force_at_once(
    postgres_url: str,
) -> None:
    with opened(postgres_url, FakeClock()) as store:
        store.write(acquire_leadership, LEADER, "older", 60)
        in_turn = []
        for rules, holder in (
            (RULES, "ours"),
            (CHANGED_RULES, "ours"),
            (NEWER_RULES, "older"),
            (NEWER_RULES, "ours"),
        ):
            await RulesActivation(store, Rulebooks(rules), holder).start()
            in_turn.append(store.read(load_current_rulebook))

    assert in_turn == [RULES, CHANGED_RULES, NEWER_RULES, NEWER_RULES]


def test_the_rules_of_a_new_day_apply_without_a_restart_and_a_late_entry_gets_those_of_its_day(
    database_url: str,
) -> None:
    changes_on = datetime(2026, 12, 28, tzinfo=UTC)
    books = Rulebooks(RULES, periods={"": (RulePeriod(ALWAYS, RULES), RulePeriod(changes_on, CHANGED_RULES))})
    clock = FakeClock(changes_on - timedelta(seconds=1))
    with opened(database_url, clock) as store:
        assert store.write(use_rulebooks, books)
        assert not store.write(use_rulebooks, books)
        before = store.read(load_current_rulebook)
        clock.go_on(seconds=1)
        on_the_day = store.read(load_current_rulebook)
        received_before = store.read(load_current_rulebooks, changes_on - timedelta(days=3)).own
        # Other settings, without a change of the law: they replace what was stored ahead.
        assert store.write(use_rulebooks, Rulebooks(NEWER_RULES))
        replaced = store.read(load_current_rulebook)
    assert [before, on_the_day, received_before, replaced] == [RULES, CHANGED_RULES, RULES, NEWER_RULES]
