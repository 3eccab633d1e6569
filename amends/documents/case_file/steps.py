"""Annex D's step log: each step with who and when, those that are still missing among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amends.documents.blocks import Block, Heading, Rows
from amends.documents.case_file.telling import Telling

#: The steps of the form and the acts that are such a step.
_STEPS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"receive"}),
    "acknowledged": frozenset({"acknowledge", "fail_delivery"}),
    "assessed": frozenset({"assess", "reassess"}),
    "investigated": frozenset({"investigate"}),
    "decided": frozenset({"resolve", "respond", "approve", "not_accept", "reclassify"}),
    "told": frozenset({"communicate_decision"}),
    "answered": frozenset({"accept", "disagree", "withdraw"}),
}
#: What need not happen is no gap when it did not.
_ONLY_IF: Mapping[str, frozenset[str]] = {
    "next_level": frozenset({"escalate", "offer_recourse"}),
    "outside": frozenset({"notify_external", "conclude_external"}),
}
_LAST: Mapping[str, frozenset[str]] = {
    "ended": frozenset({"close", "lapse", "merge"}),
    "reopened": frozenset({"reopen"}),
}
_OPTIONAL = frozenset({*_ONLY_IF, "reopened", "investigated"})


def steps(told: Telling) -> Iterator[Block]:
    """The table of steps; a remedy's correction is verified by somebody, at a time, or not yet."""
    yield Heading(told.say("step.title"), 2)
    rows = [
        *(row for step, verbs in {**_STEPS, **_ONLY_IF}.items() for row in _acts(told, step, verbs)),
        *_corrections(told),
        *(row for step, verbs in _LAST.items() for row in _acts(told, step, verbs)),
    ]
    head = (told.say("table.step"), told.say("table.when"), told.say("table.who"))
    yield Rows(head, tuple(rows), widths=(6, 5, 6))


def _acts(told: Telling, step: str, verbs: frozenset[str]) -> Iterator[tuple[str | None, ...]]:
    found = [one for one in told.record["events"] if one["verb"] in verbs]
    if not found and step not in _OPTIONAL:
        yield told.say(f"step.{step}"), told.say("document.not_yet"), None
    for one in found:
        did = told.labels.code("did", one["verb"])
        yield f"{told.say(f'step.{step}')}\n{did}", told.moment(one["at"]), told.who(one["by"], one["role"])


def _corrections(told: Telling) -> Iterator[tuple[str | None, ...]]:
    remedies: list[Mapping[str, Any]] = told.record["remedies"]
    if not remedies:
        yield told.say("step.corrected"), told.say("step.nothing_promised"), None
    for one in remedies:
        number = one["n"] + 1
        yield _step(told, "corrected", number, one["done_at"], one["done_by"])
        yield _step(told, "verified", number, one["verified_at"], one["verified_by"])


def _step(told: Telling, step: str, number: int, at: str | None, by: str | None) -> tuple[str | None, ...]:
    name = f"{told.say(f'step.{step}')} {number}"
    return name, told.moment(at) or told.say("document.not_yet"), told.member(by)
