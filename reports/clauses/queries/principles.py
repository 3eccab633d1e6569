"""What the record shows of clauses 3 and 4: what counts as a complaint, and the guiding principles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from complaints.actions.assessment import harm_of
from complaints.actions.registry import ACTIONS
from complaints.case import Case, Event
from complaints.history import CaseHistory, ReadEntry
from complaints.permissions import READERS
from complaints.vocabulary import ContactKind, Flag, Role, State, Target, Verb
from reports.case_clocks import clocks
from reports.case_measures import kept
from reports.clauses.evidence import House, Point, must

#: Roles in which people of the organisation act.
HUMAN: frozenset[Role] = frozenset(
    {Role.INTAKE, Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT, Role.AUDITOR, Role.ON_CALL}
)
CLEARED: frozenset[Role] = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT, Role.AUDITOR})
#: Who is given a complaint without a role in it: see store.cases.export.note_read.
GIVEN_OUT = frozenset({"operator", "complainant"})
#: What is read back before Send, to a child in plain words.
READ_BACK = ("readback", "readback.plain")
#: The texts that tell how it goes, before anything is sent and whenever somebody asks.
NOTICES = ("start", *READ_BACK, "how", "policy")
#: What "free of charge" is in the languages that come with the product.
FREE = {
    "en": ("free", "cost: none", "no cost", "costs nothing"),
    "tr": ("ücretsiz", "ücret: yok", "parası yok"),
}
#: Names that a setting or a fact would have if complaining cost something.
FEES = ("fee", "charge", "price_of", "payment_for")
#: In these states somebody works on it, or must.
_OWNED = frozenset({State.ASSESSED, State.INVESTIGATING, State.DECIDED, State.REMEDYING})
_MINUTE, _HOUR = 60.0, 3600.0


def minutes(since: datetime, until: datetime) -> float:
    """Elapsed minutes."""
    return (until - since).total_seconds() / _MINUTE


def hours(since: datetime, until: datetime) -> float:
    """Elapsed hours."""
    return (until - since).total_seconds() / _HOUR


def terms(seen: CaseHistory, house: House) -> Iterator[Point]:
    """3: doubt is a complaint; only two people together say that it is none, never where there was harm."""
    asked = seen.of_verb(Verb.RECLASSIFY)
    yield Point("reclassified, of all received", hit=seen.case.kind is not ContactKind.COMPLAINT)
    for event in asked:
        reasoned = seen.has_words(event, "reason") or seen.case.erased_at is not None
        yield must(
            "reclassifications with a reason",
            reasoned,
            "called no complaint without a reason: reopen it or record the reason",
            (event.seq,),
        )
    if seen.case.kind is ContactKind.COMPLAINT:
        return
    agreed = [
        (first, second)
        for second in seen.of_verb(Verb.APPROVE)
        if second.facts.get("of") == "reclassify" and second.facts.get("agreed") == "yes"
        for first in asked
        if first.seq < second.seq
    ]
    by_two = any(first.by != second.by for first, second in agreed)
    seqs = tuple(one.seq for one in (*asked, *(second for _, second in agreed)))
    fault = None
    if not by_two:
        fault = "called no complaint by one person alone: reopen it, or let a second person agree"
    elif agreed and harm_of(seen.before(agreed[-1][1])) >= 3:
        fault = "called no complaint although somebody came to harm: reopen it"
    yield Point("reclassified by two people", seqs, fault=fault)


def visibility(house: House) -> Iterator[Point]:
    """4.2: policy and procedure are there to be read in every language, with the outside body named."""
    for language in house.rules.languages:
        texts = house.texts.get(language, {})
        for id_ in ("policy", "how"):
            there = bool(texts.get(id_, "").strip())
            yield Point(
                f"{id_} in {language}",
                fault=None if there else f"the text '{id_}' is missing in {language}: write it",
            )
    named = bool(house.rules.recourse)
    yield Point(
        "outside bodies named",
        fault=None if named else "no outside body is named: add [[recourse]] to the settings",
    )


def accessibility(seen: CaseHistory, house: House) -> Iterator[Point]:
    """4.3: how many finish the form, by channel and language; nobody is written to in a language not spoken."""
    case = seen.case
    if case.channel == "telegram" and case.form_ended_at is not None:
        yield Point(f"signed with Send, {case.language}", hit=case.confirmed_at is not None)
    yield Point(f"received over {case.channel}")
    if Flag.SUPPORT_NEED in case.flags:
        yield Point("support needs told")
    for one in seen.messages:
        if one.direction == "out" and one.language is not None:
            spoken = one.language in case.rules.languages
            yield must(
                "messages in a language that is spoken",
                spoken,
                f"written to in {one.language}: write in the complainant's language",
            )


def responsiveness(seen: CaseHistory, house: House) -> Iterator[Point]:
    """4.4: acknowledged at once, questions answered, told how it goes."""
    case = seen.case
    first = case.acks.get(1)
    if first is not None:
        yield Point("minutes to the acknowledgement", measure=minutes(case.received_at, first))
    for clock in clocks(case, Target.UPDATE):
        answer = kept(clock.due, clock.met_at, clock.met_at, house.now)
        if answer is not None:
            yield Point("updates by their deadline", hit=answer)
    for clock in clocks(case, Target.REPLY):
        open_too_long = clock.met_at is None and case.is_open and clock.due < house.now
        yield Point(
            "questions of complainants",
            fault="a question waits beyond its date: reply to it" if open_too_long else None,
        )
    ack = clocks(case, Target.ACK)
    silent = bool(ack) and ack[0].met_at is None and case.is_open and ack[0].due < house.now and not case.acks
    if silent:
        yield Point(
            "never acknowledged", fault="not acknowledged and overdue: acknowledge it, by voice if need be"
        )


def objectivity(seen: CaseHistory, house: House) -> Iterator[Point]:
    """4.5: whoever is complained about, or has a conflict, does nothing on it from then on."""
    for event in seen.of_verb(Verb.DECLARE_CONFLICT):
        yield Point("conflicts declared", (event.seq,))
    for event in seen.events:
        if event.role in HUMAN:
            before = seen.before(event)
            kept_out = event.by in before.subjects | before.conflicted
            yield must(
                "acts by people without a part in the matter",
                not kept_out,
                "an excluded person acted: let somebody else look at it anew",
                (event.seq,),
            )


def charges(house: House) -> Iterator[Point]:
    """4.6: no setting asks for money, and every text that invites to complain says that it is free."""
    fees = sorted(name for name in house.settings if any(fee in name for fee in FEES))
    yield Point(
        "settings without a fee",
        fault=f"a setting speaks of a fee ({', '.join(fees)}): remove it" if fees else None,
    )
    for language in house.rules.languages:
        words = FREE.get(language)
        for id_ in NOTICES:
            text = house.texts.get(language, {}).get(id_, "").casefold()
            free = any(word in text for word in words) if words else bool(text)
            yield must(
                "texts that say it is free",
                free,
                f"the text '{id_}' in {language} does not say that it is free: say so",
            )


def confidentiality(seen: CaseHistory, house: House) -> Iterator[Point]:
    """4.7: every opening was by somebody with a reading role, not excluded, cleared where it was restricted."""
    for one in seen.reads:
        yield Point(
            "openings by people who may", hit=(fault := _unread(seen, one, house)) is None, fault=fault
        )


def _unread(seen: CaseHistory, one: ReadEntry, house: House) -> str | None:
    # Made at the command line, or asked for by the person concerned: no role lets them, the record says why.
    if one.by == one.role and one.role in GIVEN_OUT:
        return None
    case = seen.at_version(one.version)
    named = Role(one.role) if one.role in set(Role) else None
    held = house.roles_at(one.by, one.at, named) if named else frozenset()
    if not held & READERS:
        return "opened by somebody without a reading role: find out why"
    if one.by in case.subjects | case.conflicted:
        return "opened by the person complained about or with a conflict: find out why"
    if case.restricted and one.by != case.owner and not held & CLEARED:
        return "restricted, and opened by somebody who was not cleared: find out why"
    return None


def customer_focus(seen: CaseHistory, house: House) -> Iterator[Point]:
    """4.8: decisions that say what changes for everybody."""
    for event in seen.of_verb(Verb.RESPOND):
        yield Point("decisions that name a change", (event.seq,), hit=seen.has_words(event, "changes"))


def accountability(seen: CaseHistory, house: House) -> Iterator[Point]:
    """4.9: one owner always, a person behind each decision, a role behind each act."""
    case = seen.case
    if case.assessment is not None and case.is_open:
        fault = None
        if case.owner is None and (case.state in _OWNED or _looked_for(case, house.now)):
            fault = "nobody owns it: assign it"
        yield Point("assessed and open, with an owner", hit=case.owner is not None, fault=fault)
    for event in seen.of_verb(Verb.RESPOND, Verb.RESOLVE, Verb.APPROVE, Verb.ASSESS, Verb.REASSESS):
        yield must(
            "judged by a person",
            event.role in HUMAN,
            "decided without a person: decide it anew",
            (event.seq,),
        )
    for event in seen.events:
        if event.role in HUMAN and event.verb is not Verb.RECEIVE:
            roles = ACTIONS[event.verb].roles
            allowed = event.role in roles and bool(_held(event, house) & roles)
            yield must(
                "acts in a role that may",
                allowed,
                "done by somebody without the role: look at the act again",
                (event.seq,),
            )


def _held(event: Event, house: House) -> frozenset[Role]:
    return house.roles_at(event.by, event.at, event.role)


def _looked_for(case: Case, now: datetime) -> bool:
    """Escalated, and the time in which somebody takes it is over."""
    look = case.target(Target.LOOK)
    return look is not None and look.met_at is None and look.internal_due < now


def improvement(seen: CaseHistory, house: House) -> Iterator[Point]:
    """4.10: corrective actions opened from complaints; an overturned decision always opens one."""
    for one in seen.case.improvements:
        yield Point("corrective actions opened", (one.seq,))
    opened = {one.seq for one in seen.case.improvements}
    for outer in seen.case.outside:
        if outer.overturned:
            fault = None if outer.seq in opened else "overturned outside without an action: open one"
            yield Point("decisions overturned outside", (outer.seq,), fault=fault)


def competence(house: House) -> Iterator[Point]:
    """2018: the record is whole, as the check of its chain shows."""
    if house.proof is not None:
        bad = house.proof.first_bad
        fault = None if bad is None else f"{bad[0]} at {bad[1]}: {bad[2]}; run `amends db verify`"
        yield Point("the chain of events is whole", fault=fault)
