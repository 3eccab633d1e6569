"""Rules in which a newer release says more come into force once no older one hears people (7.3)."""

from __future__ import annotations

from dataclasses import replace

from amends.wiring import RulesActivation
from bots.telegram.polling import LEADER
from complaints.rulebook import LevelTargets, Rulebooks
from store.database.leases import acquire_leadership, release_leadership
from store.rulebooks import load_current_rulebook, use_rulebook
from tests.databases import FakeClock, opened
from tests.edges.desk import RULES
from tests.edges.product import until

SAYS_MORE = replace(
    RULES, targets=replace(RULES.targets, by_level={2: LevelTargets(outside_when_missed=True)})
)
SAYS_OTHER = replace(RULES, targets=replace(RULES.targets, legal="30 bd"))


async def test_rules_that_an_older_release_may_not_read_wait_while_it_hears_people(postgres_url: str) -> None:
    with opened(postgres_url, FakeClock()) as store:
        store.write(use_rulebook, RULES)
        store.write(acquire_leadership, LEADER, "older", 60)
        rules = RulesActivation(store, Rulebooks(SAYS_MORE), "ours")

        await rules.start()
        meanwhile = store.read(load_current_rulebook)
        store.write(release_leadership, LEADER, "older")

        await until(lambda: store.read(load_current_rulebook) == SAYS_MORE)
        assert meanwhile == RULES
        rules.stop()


async def test_rules_that_every_release_can_read_are_in_force_at_once_as_are_any_where_nobody_else_hears(
    postgres_url: str,
) -> None:
    with opened(postgres_url, FakeClock()) as store:
        store.write(acquire_leadership, LEADER, "older", 60)
        in_turn = []
        for rules, holder in (
            (RULES, "ours"),
            (SAYS_OTHER, "ours"),
            (SAYS_MORE, "older"),
            (SAYS_MORE, "ours"),
        ):
            await RulesActivation(store, Rulebooks(rules), holder).start()
            in_turn.append(store.read(load_current_rulebook))

    assert in_turn == [RULES, SAYS_OTHER, SAYS_MORE, SAYS_MORE]
