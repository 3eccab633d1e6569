"""One decision on 300 complaints of an incident: the acts of people, the seconds until all is done, the letters.

The desk is the demo's: the whole product on SQLite, with the simulator as both platforms and without rate limits
(Telegram itself takes 30 messages a second). A manager decides and a second person approves, through their forms.
Every 25th complainant writes again after the preview, and is left to a person. Each letter is checked as its reader
gets it: once, with the own reference and words, no other's, in the own language, with amount and recourse.
AMENDS_MEMBERS is the number of complaints, by default 300.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import timedelta

from rich.table import Table

from amends.demo.run import STORY_BEGINS, DemoStage, staged
from amends.demo.settings import CHANNELS, STAFF
from benchmarks.measuring import result_table, verdict
from complaints.event_facts import TAKE_BACK_SECONDS
from complaints.vocabulary import Verb
from simulator.customer import Customer
from simulator.screen import Card
from store.cases.act import act
from store.cases.read import list_cases
from store.custody.verify import verify
from store.incidents import open_incident
from store.people.staff import load_actor

MEMBERS = int(os.environ.get("AMENDS_MEMBERS", "300"))
#: Every so many people one writes again after the preview.
WRITES_AGAIN = 25
#: What a letter must say in each language: finding, reason, amount, the next level, the outside body.
PARTS = {
    "en": ("We uphold this.", "Our cable broke.", "£25.00", "people who were not involved look at it again"),
    "tr": ("yerinde bulduk.", "Kablomuz koptu.", "£25,00", "bu işte yer almamış kişiler yeniden bakar"),
}
RECOURSE = "Consumer ombudsman. ombudsman.example, 0800 000 000."
STORIES = {
    "en": "No electricity in Harbour Street since eight, flat {number:04}.",
    "tr": "Liman Sokak'ta sekizden beri elektrik yok, daire {number:04}.",
}
TITLES = {"en": "{ref}: our decision", "tr": "{ref}: Kararımız"}
FORM = {
    "finding": "upheld", "reasons.en": "Our cable broke.", "reasons.tr": "Kablomuz koptu.", "type": "compensation",
    "amount": "25", "category": "supply", "reach": "3", "recurrence": "2",
    "evidence": ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"],
}  # fmt: skip


@dataclass
class _Member:
    customer: Customer
    language: str
    story: str
    ref: str = ""


async def table(members: int = MEMBERS) -> Table:
    """One row: acts of people, decided and left to a person, seconds, correct letters."""
    report = result_table(
        f"One decision on {members} complaints",
        "acts of people | decided | left to a person | preview shown | all recorded and sent | letters "
        "correct | record intact | goal",
    )
    async with staged(begins=STORY_BEGINS, ready=True) as stage:
        report.add_row(*await _measure(stage, members))
    return report


async def _measure(stage: DemoStage, number: int) -> tuple[str, ...]:
    members = await _join(stage, number)
    mona, second = (stage.simulator.staff(STAFF[name]) for name in ("Mona", "Tuğba"))
    began = time.monotonic()
    await mona.presses(_card(stage, "Decide all"), "Decide all")
    await mona.opened("Decide all")
    await mona.fills(FORM)
    await mona.submits()
    previewed = time.monotonic() - began
    await mona.submits()
    await stage.settled()
    late = members[::WRITES_AGAIN]
    for member in late:
        await member.customer.says("It is still dark here.")
    await stage.settled()
    await second.presses(_card(stage, "Approve"), "Approve")
    await second.opened("Approve")
    await second.fills({"agreed": "yes"})
    began = time.monotonic()
    await second.submits()
    await stage.settled()
    # Until then the second person can take it back.
    await stage.advance(timedelta(seconds=TAKE_BACK_SECONDS))
    seconds = time.monotonic() - began
    # The card follows the letters at ever longer intervals.
    await stage.advance(timedelta(minutes=5))
    refs = [member.ref for member in members]
    correct = sum(_is_correct(member, refs) for member in members if member not in late)
    silent = sum(not _letters(member) for member in late)
    card = _card(stage, "Decide all").text
    decided = number - len(late)
    intact = stage.store.read(verify).first_bad is None
    holds = (
        correct == decided
        and silent == len(late)
        and intact
        and f"{decided} of {number} decided" in card
        and f"sent {decided}, waiting 0" in card
    )
    # One by one, each complaint is assessed, investigated and decided.
    return (
        f"2 (one by one {3 * decided})",
        str(decided),
        str(silent),
        f"{previewed:.1f} s",
        f"{seconds:.1f} s",
        f"{correct} of {decided}",
        "yes" if intact else "no",
        verdict(holds),
    )


async def _join(stage: DemoStage, number: int) -> list[_Member]:
    """People complain in two languages, and their complaints join one incident."""
    members = []
    for index in range(number):
        language = ("en", "tr")[index % 2]
        customer = stage.simulator.customer(f"Member{index}", language=language)
        members.append(_Member(customer, language, STORIES[language].format(number=index)))
        await customer.says(members[-1].story)
        if index % 10 == 9:
            await stage.settled()
    await stage.settled()
    await stage.advance(timedelta(minutes=35))
    mona = stage.store.read(load_actor, STAFF["Mona"])
    stage.store.write(open_incident, mona, {}, {"what": "Blackout"})
    cases = stage.store.read(list_cases, limit=10 * number)[0]
    for case in cases:
        facts = {"relation": "same_incident", "incident": 1}
        stage.store.write(act, case["ref"], Verb.LINK, mona, facts, {})
    await stage.settled()
    await stage.advance(timedelta(seconds=10))
    for member in members:
        heard = " ".join(member.customer.heard)
        member.ref = next(str(case["ref"]) for case in cases if case["ref"] in heard)
    return members


def _card(stage: DemoStage, label: str) -> Card:
    """The incident's card; no complaint's card has its buttons."""
    cards = stage.simulator.staff(STAFF["Mona"]).channel(CHANNELS[0]).cards
    return next(card for card in reversed(cards) if label in card.buttons)


def _letters(member: _Member) -> list[str]:
    return [
        text
        for text in member.customer.heard
        if text.startswith(TITLES[member.language].format(ref=member.ref))
    ]


def _is_correct(member: _Member, refs: list[str]) -> bool:
    letters = _letters(member)
    parts = (*PARTS[member.language], RECOURSE, member.story)
    return (
        len(letters) == 1
        and all(part in letters[0] for part in parts)
        and not any(ref in letters[0] for ref in refs if ref != member.ref)
    )
