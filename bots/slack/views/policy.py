"""`/complaints policy`: the complaints policy in force, from the settings (5.2, 4.6, 7.1)."""

from __future__ import annotations

from collections.abc import Iterator

from bots.slack.client.block_kit import Block, context, escaped, header, section
from bots.slack.texts import StaffTexts
from complaints.rulebook import Rulebook


def policy_blocks(rules: Rulebook, texts: StaffTexts) -> list[Block]:
    """The promises, the times, who decides at each level, and the bodies outside; complaining is free."""
    return [
        header(texts.text("policy.title")),
        section("\n".join(_promises(rules, texts))),
        section("\n".join([f"*{texts.text('policy.times')}*", *_times(rules, texts)])),
        section("\n".join([f"*{texts.text('policy.levels')}*", *_levels(rules, texts)])),
        section("\n".join([f"*{texts.text('policy.outside')}*", *_outside(rules, texts)])),
        context(texts.text("policy.version", version=rules.edition[:12], preset=escaped(rules.preset, 60))),
    ]


def _promises(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    yield texts.text("policy.free", organisation=escaped(rules.organisation, 200))
    for text_id in ("policy.people", "policy.fair", "policy.private", "policy.learn"):
        yield texts.text(text_id)


def _times(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    yield texts.text("policy.ack", span=texts.duration(rules.targets.ack))
    for priority, targets in sorted(rules.targets.by_priority.items()):
        yield texts.text(
            "policy.priority",
            priority=str(priority),
            look=texts.duration(targets.look),
            first=texts.duration(targets.first_action),
            update=texts.duration(targets.update_every),
            decide=texts.duration(targets.decide),
        )
    if rules.targets.legal is not None:
        yield texts.text("policy.legal", span=texts.duration(rules.targets.legal))
    for level, own in sorted(rules.targets.by_level.items()):
        if own.decide is not None:
            ack = texts.duration(own.ack or rules.targets.escalated_ack)
            yield texts.text("policy.level_times", level=level, ack=ack, decide=texts.duration(own.decide))
    if rules.targets.extension_cap is not None:
        yield texts.text("policy.extension", span=texts.duration(rules.targets.extension_cap))
    if rules.targets.delay_notice is not None:
        yield texts.text("policy.delay", span=texts.duration(rules.targets.delay_notice))


def _levels(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    for level, roles in sorted(rules.levels.items()):
        names = ", ".join(texts.text(f"role.{role}") for role in roles)
        yield texts.text("policy.level", level=level, roles=names)
    for role, limit in sorted(rules.authority.items()):
        amount = f"{limit.amount / 100:.2f} {limit.currency}"
        yield texts.text("policy.limit", role=texts.text(f"role.{role}"), amount=amount)


def _outside(rules: Rulebook, texts: StaffTexts) -> Iterator[str]:
    if not rules.recourse:
        yield texts.text("policy.no_outside")
    for body in rules.recourse:
        cost = texts.text("policy.outside_free") if body.free else texts.text("policy.outside_costs")
        parts = (escaped(body.body, 200), escaped(body.contact, 200), escaped(body.limit, 100), cost)
        yield "• " + " · ".join(part for part in parts if part)
