"""Improvement actions: did they help, and the letters to those who complained (8.7)."""

from collections.abc import Mapping
from datetime import date, timedelta
from math import isinf
from typing import Any

from sqlalchemy import func, select

from complaints.actors import SYSTEM, Actor
from complaints.batch import Audience, Batch, audience_of, no_change_letter
from complaints.case import Case
from complaints.event_facts import OVERRULED
from complaints.registers.effect import Effect
from complaints.registers.entries import Entry, EntryAct, waiting_letter
from complaints.times import at_minute
from complaints.vocabulary import ContactKind, Verb
from store.cases.act import act
from store.database.transaction import Tx
from store.record.load import load_many
from store.registers import act_on_entry, load_entry
from store.rulebooks import load_current_rulebook
from store.tables import MEASURES

_ROW = MEASURES.c


def count_effect(tx: Tx, entry: Entry) -> Effect:
    """The complaints of its category in the days before the day on which it was done, and in as many after it."""
    done_on, days = date.fromisoformat(entry.facts["done_on"]), int(entry.facts["effect_days"])
    zone = load_current_rulebook(tx).calendar.zone
    start, middle, end = (at_minute(done_on + timedelta(days=step), 0, zone) for step in (-days, 0, days))
    is_before = _ROW.received_at < middle
    query = select(func.count().filter(is_before), func.count().filter(~is_before)).where(
        _ROW.received_at >= start,
        _ROW.received_at < end,
        _ROW.category == entry.facts["category"],
        *([_ROW.product == entry.facts["product"]] if entry.facts.get("product") else ()),
        _ROW.kind == ContactKind.COMPLAINT.value,
        _ROW.is_simulation.is_(False),
    )
    before, after = tx.connection.execute(query).one()
    return Effect(before, days, after, days)


def check_effect(tx: Tx, code: str, version: int) -> Entry | None:
    """Record whether a done action helped; None if a later act moved the day. A repeat changes nothing."""
    entry = load_entry(tx, code)
    if [done.version for done in entry.acts if "done_on" in done.facts][-1] != version:
        return None
    if entry.state != "done":
        return entry
    effect = count_effect(tx, entry)
    low, high = effect.interval
    facts = {
        "before": effect.before, "after": effect.after, "days": effect.after_days,
        "ratio_low": round(low, 4), "ratio_high": None if isinf(high) else round(high, 4),
    }  # fmt: skip
    return act_on_entry(tx, code, "check", SYSTEM, facts, target=effect.verdict.value)


def load_letter_audience(tx: Tx, entry: Entry, words: Mapping[str, str], by: Actor) -> Audience:
    """Who would get the letter of these words (`text.<language>`) now, and who would not, with the reason."""
    languages = {name.partition(".")[2] for name, text in words.items() if text.strip()}
    files = load_many(tx, list(dict.fromkeys(entry.refs)))
    informed = {
        file.case.ref
        for file in files
        if any(event.facts.get("improvement") == entry.code for event in file.events)
    }
    return audience_of(
        [file.case for file in files],
        by,
        lambda case: "informed" if case.ref in informed else no_change_letter(case, languages),
    )


def propose_letter(tx: Tx, previewed: Batch, by: Actor) -> Entry:
    """Ask a second person to approve the previewed letter; raises BadFacts if it would reach no one."""
    entry = load_entry(tx, previewed.about)
    audience = load_letter_audience(tx, entry, previewed.words, by).require_some()
    facts = {"to": [case.ref for case in audience.to], "left_out": len(audience.left_out)}
    facts |= {OVERRULED: list(previewed.overruled)} if previewed.overruled else {}
    words = previewed.words
    return act_on_entry(tx, entry.code, "propose_letter", by, facts, words, version=previewed.version)


def load_letter(tx: Tx, code: str, version: int | None = None) -> tuple[Entry, EntryAct] | None:
    """The letter that waits, or with `version` the one that this act approved; None without one."""
    entry = load_entry(tx, code)
    acts = entry.acts if version is None else entry.acts[: version - 1]
    letter = waiting_letter(Entry(entry.register, entry.number, acts))
    return None if letter is None else (entry, letter)


def record_letter(
    tx: Tx, entry: Entry, letter: EntryAct, case: Case, by: Actor, text: str, approver: str
) -> None:
    """Record the letter in one complaint; its delivery follows from the event.

    Raises AlreadyDone if this complaint got a letter about this action before, Stale if it changed since `case`.
    """
    facts: dict[str, Any] = {"batch": f"{entry.code}.{letter.version}", "improvement": entry.code}
    facts |= {"approved_by": approver, OVERRULED: letter.facts.get(OVERRULED)}
    facts = {name: value for name, value in facts.items() if value}
    words = {"text": letter.words[f"text.{case.language}"], "letter": text}
    act(tx, case.ref, Verb.REPLY, by, facts, words, version=case.work_version, key=f"change:{entry.code}")
