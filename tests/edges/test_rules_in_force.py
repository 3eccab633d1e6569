"""Rules in which a newer release says more come into force once no older one hears people (7.3)."""

from __future__ import annotations

from dataclasses import replace

from amends.parts.rules import RulesInForce
from bots.telegram.leading import LEADER
from complaints.jurisdictions import Rulebooks
from complaints.rulebook import LevelTargets
from tests.databases import FakeClock, opened
from tests.edges.desk import RULES
from tests.edges.product import until

SAYS_MORE = replace(
    RULES, targets=replace(RULES.targets, by_level={2: LevelTargets(outside_when_missed=True)})
)
SAYS_OTHER = replace(RULES, targets=replace(RULES.targets, legal="30 bd"))


async def test_rules_that_an_older_release_may_not_read_wait_while_it_hears_people(postgres_url: str) -> None:
    with opened(postgres_url, FakeClock()) as store:
        store.use_rulebook(RULES)
        store.lead(LEADER, "older", 60)
        rules = RulesInForce(store, Rulebooks(SAYS_MORE), "ours")

        await rules.begin()
        meanwhile = store.current_rulebook()
        store.let_go(LEADER, "older")

        await until(lambda: store.current_rulebook() == SAYS_MORE)
        assert meanwhile == RULES
        rules.end()


async def test_rules_that_every_release_can_read_are_in_force_at_once_as_are_any_where_nobody_else_hears(
    postgres_url: str,
) -> None:
    with opened(postgres_url, FakeClock()) as store:
        store.lead(LEADER, "older", 60)
        in_turn = []
        for rules, holder in (
            (RULES, "ours"),
            (SAYS_OTHER, "ours"),
            (SAYS_MORE, "older"),
            (SAYS_MORE, "ours"),
        ):
            await RulesInForce(store, Rulebooks(rules), holder).begin()
            in_turn.append(store.current_rulebook())

    assert in_turn == [RULES, SAYS_OTHER, SAYS_MORE, SAYS_MORE]
