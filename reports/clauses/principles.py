"""Clauses 3 to 6, principles and framework, and what the edition of 2018 adds: the evidence for each."""

from collections.abc import Iterator
from datetime import datetime

from complaints.actions.assessment import harm_of
from complaints.actions.registry import ACTIONS
from complaints.actors import READERS
from complaints.case import Case
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory, ReadEntry
from complaints.measures.clocks import clocks, endings
from complaints.measures.marks import kept
from complaints.vocabulary import ContactKind, Flag, Role, State, Target, Verb
from reports.clauses.clause_evidence import (
    OrganisationFacts,
    Point,
    fault_if,
    minutes,
    must,
    training,
    violated,
)
from reports.clauses.delivery import DELIVERED, delivered_at, heard_between
from reports.integrity import Proof

#: Roles in which people of the organisation act.
HUMAN: frozenset[Role] = frozenset(
    {Role.INTAKE, Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT, Role.AUDITOR, Role.ON_CALL}
)
CLEARED: frozenset[Role] = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT, Role.AUDITOR})
#: Readers without a role: an export at the command line, or for the complainant (store.cases.export.record_read).
EXPORTED_FOR = frozenset({"operator", "complainant"})
#: The templates of the read-back before Send; the second is for children.
READ_BACK = ("readback", "readback.plain")
#: The texts that explain the process, before Send and on request.
NOTICES = ("start", *READ_BACK, "how", "policy")
#: Phrases for "free of charge" in the languages of the product.
FREE = {
    "en": ("free", "cost: none", "no cost", "costs nothing"),
    "tr": ("ücretsiz", "ücret: yok", "parası yok", "para ödenmez"),
    "de": ("kostenlos", "kosten: keine", "kostet nichts"),
    "es": ("gratis", "gratuit", "coste: ninguno", "sin coste", "cuesta nada"),
}
#: Parts of the name that a setting with a fee would have.
FEES = ("fee", "charge", "price_of", "payment_for")
#: In these states a complaint must have an owner.
_NEEDS_OWNER = frozenset({State.ASSESSED, State.INVESTIGATING, State.DECIDED, State.REMEDYING})


def terms(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """3: if in doubt it is a complaint; only two people together may decide otherwise, and never after harm."""
    requests = history.of_verb(Verb.RECLASSIFY)
    yield Point("reclassified, of all received", hit=history.case.kind is not ContactKind.COMPLAINT)
    for event in requests:
        has_reason = history.has_words(event, "reason") or history.case.erased_at is not None
        yield must("reclassifications with a reason", has_reason, (event.seq,))
    if history.case.kind is ContactKind.COMPLAINT:
        return
    agreed = [
        (first, second)
        for second in history.of_verb(Verb.APPROVE)
        if second.facts.get("of") == "reclassify" and second.facts.get("agreed") == "yes"
        for first in requests
        if first.seq < second.seq
    ]
    by_two = any(first.by != second.by for first, second in agreed)
    seqs = tuple(event.seq for event in (*requests, *(second for _, second in agreed)))
    fault = None
    if not by_two:
        fault = "classified as no complaint by one person alone: reopen it, or let a second person agree"
    elif agreed and harm_of(history.before(agreed[-1][1])) >= 3:
        fault = "classified as no complaint although a person was harmed: reopen it"
    yield Point("reclassified by two people", seqs, fault=fault)


def visibility(house: OrganisationFacts) -> Iterator[Point]:
    """4.2: the policy and the procedure exist in every language, and the outside bodies are named."""
    for language in house.rules.languages:
        texts = house.texts.get(language, {})
        for id_ in ("policy", "how"):
            exists = bool(texts.get(id_, "").strip())
            yield Point(
                f"{id_} in {language}",
                fault=None if exists else f"the text '{id_}' is missing in {language}: write it",
            )
    has_recourse = bool(house.rules.recourse)
    yield Point("outside bodies named", fault=fault_if("outside bodies named", not has_recourse))


def accessibility(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """4.3: forms completed, by channel and language; messages in the language in which the person writes."""
    case = history.case
    if case.channel == "telegram" and case.form_ended_at is not None:
        yield Point(f"signed with Send, {case.language}", hit=case.confirmed_at is not None)
    yield Point(f"received over {case.channel}")
    if Flag.SUPPORT_NEED in case.flags:
        yield Point("support needs told")
    yield from _conduct(history)
    for message in history.messages:
        if message.direction != "out" or message.language is None or message.state not in DELIVERED:
            continue
        is_supported = message.language in case.rules.languages
        fault = (
            None if is_supported else f"written to in {message.language}: write in the complainant's language"
        )
        if is_supported and history.written_in is None:
            yield Point("messages to people whose language was not detected")
        else:
            is_spoken = is_supported and message.language == history.written_in
            yield Point("messages in a language that is spoken", hit=is_spoken, fault=fault)


def _conduct(history: CaseHistory) -> Iterator[Point]:
    """Warnings, limits on contact that two people agreed on, and appeals against them."""
    for event in history.of_verb(Verb.WARN_CONDUCT):
        yield Point("warnings about the contact", (event.seq,))
    for event in history.of_verb(Verb.APPROVE):
        pending = history.before(event).conduct.pending
        if pending is not None and event.facts.get("of") == "limit_contact":
            yield Point(
                "limits on contact that a second person agreed to",
                (event.seq,),
                hit=event.facts["agreed"] == "yes",
            )
    for event in history.of_verb(Verb.REVIEW_LIMIT):
        if history.before(event).conduct.appeal_at is not None:
            yield Point("appeals that ended a limit", (event.seq,), hit=event.facts["outcome"] == "ended")


def responsiveness(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """4.4: acknowledged at once, questions answered, updates sent; each as the delivered messages show it."""
    case, ended = history.case, endings(history.case)
    first = case.acks.get(1)
    if first is not None:
        is_delivered = delivered_at(history, Verb.ACKNOWLEDGE, first)
        yield Point(
            "minutes to the acknowledgement",
            measure=minutes(case.received_at, first) if is_delivered else None,
            fault=fault_if("minutes to the acknowledgement", not is_delivered),
        )
    for clock in clocks(case, Target.UPDATE):
        is_met = kept(clock.due, clock.met_at, clock.met_at, house.now)
        if is_met is not None:
            arrived = (
                clock.met_at is None
                or clock.met_at in ended
                or heard_between(history, clock.start, clock.met_at, house.now)
            )
            yield Point("updates by their deadline", hit=is_met and arrived)
    for clock in clocks(case, Target.REPLY):
        is_overdue = clock.met_at is None and case.is_open and clock.due < house.now
        is_silent = clock.met_at is not None and not heard_between(
            history, clock.start, clock.met_at, house.now
        )
        fault = "a question is overdue: reply to it" if is_overdue else None
        if is_silent:
            fault = "a question was answered, but no message arrived: send the reply again"
        yield Point("questions of complainants", fault=fault)
    ack = next(iter(clocks(case, Target.ACK)), None)
    is_unmet = ack is not None and ack.met_at is None and ack.due < house.now
    if is_unmet and case.is_open and not case.acks:
        yield violated("never acknowledged")


def objectivity(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """4.5: a person who is complained about or has a conflict does not act on the complaint from then on."""
    for event in history.of_verb(Verb.DECLARE_CONFLICT):
        yield Point("conflicts declared", (event.seq,))
    for event in history.of_verb(Verb.CHECK_DECISION):
        if event.role in HUMAN:
            yield Point("decisions read by a second person", (event.seq,))
    for event in history.of_verb(Verb.REVIEW_CASE):
        is_new_to_it = event.by not in history.before(event).participants
        yield must("reviews after the end by people without a part in it", is_new_to_it, (event.seq,))
    for event in history.events:
        if event.role in HUMAN:
            before = history.before(event)
            is_excluded = event.by in before.subjects | before.conflicted
            yield must("acts by people without a part in the matter", not is_excluded, (event.seq,))


def charges(house: OrganisationFacts) -> Iterator[Point]:
    """4.6: no setting asks for money, and every text about complaining says that it is free."""
    fees = sorted(name for name in house.settings if any(fee in name for fee in FEES))
    yield Point(
        "settings without a fee", fault=fault_if("settings without a fee", bool(fees), fees=", ".join(fees))
    )
    for language in house.rules.languages:
        words = FREE.get(language)
        for id_ in NOTICES:
            text = house.texts.get(language, {}).get(id_, "").casefold()
            is_free = any(word in text for word in words) if words else bool(text)
            yield must("texts that say it is free", is_free, id=id_, language=language)


def confidentiality(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """4.7: each reader had a reading role, was not excluded, and was cleared for a restricted complaint."""
    for entry in history.reads:
        fault = _reading_fault(history, entry, house)
        yield Point("openings by people who may", hit=fault is None, fault=fault)


def _reading_fault(history: CaseHistory, entry: ReadEntry, house: OrganisationFacts) -> str | None:
    # An export at the command line or for the person concerned needs no role; the record has the reason.
    if entry.by.partition(":")[0] == entry.role and entry.role in EXPORTED_FOR:
        return None
    case = history.at_version(entry.version)
    role = Role(entry.role) if entry.role in set(Role) else None
    roles = house.roles_at(entry.by, entry.at, role) if role else frozenset()
    if not roles & READERS:
        return "opened by a person without a reading role: find out why"
    if entry.by in case.subjects | case.conflicted:
        return "opened by the person complained about or with a conflict: find out why"
    if case.restricted and entry.by != case.owner and not roles & CLEARED:
        return "restricted, and opened by a person who was not cleared: find out why"
    return None


def customer_focus(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """4.8: decisions that name a change for all customers."""
    for event in history.of_verb(Verb.RESPOND):
        yield Point("decisions that name a change", (event.seq,), hit=history.has_words(event, "changes"))


def accountability(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """4.9: always one owner, a person for each decision, and a permitted role for each act."""
    case = history.case
    if case.assessment is not None and case.is_open:
        fault, has_owner = None, house.may_own(case.owner)
        if not has_owner and (case.state in _NEEDS_OWNER or _is_pickup_overdue(case, house.now)):
            fault = "it has no owner: assign it"
        yield Point("assessed and open, with an owner", hit=has_owner, fault=fault)
    for event in history.of_verb(Verb.RESPOND, Verb.RESOLVE, Verb.APPROVE, Verb.ASSESS, Verb.REASSESS):
        yield must("judged by a person", event.role in HUMAN, (event.seq,))
    for event in history.events:
        if event.role in HUMAN and event.seq > 1:
            may_act = ACTIONS[event.verb].roles
            roles = house.roles_at(event.by, event.at, event.role)
            is_allowed = event.role in may_act and bool(roles & may_act)
            yield must("acts in a role that may", is_allowed, (event.seq,))


def _is_pickup_overdue(case: Case, now: datetime) -> bool:
    """Escalated, and not taken by the next level in time."""
    look = case.target(Target.LOOK)
    return look is not None and look.met_at is None and look.internal_due < now


def improvement(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """4.10: corrective actions opened from complaints; an overturned decision always opens one."""
    opened = [action.seq for action in history.case.improvements]
    for seq in opened:
        yield Point("corrective actions opened", (seq,))
    for referral in history.case.outside:
        if referral.overturned:
            fault = None if referral.seq in opened else "overturned outside without an action: open one"
            yield Point("decisions overturned outside", (referral.seq,), fault=fault)


def competence(house: OrganisationFacts) -> Iterator[Point]:
    """2018: the record is intact, as the verification of its hash chains shows, and people are trained."""
    if house.proof is not None:
        yield Point("the chain of events is whole", fault=chain_fault(house.proof))
    yield from training(house)


def chain_fault(proof: Proof) -> str | None:
    """The first problem of the record in a line; None if it is intact."""
    if proof.first_bad is None:
        return None
    ref, seq, problem = proof.first_bad
    return f"{ref} at {seq}: {problem}; run `amends db verify`"


_LEVEL_ROLES = (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT)


def responsibility(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """5.3: top management is notified of a significant complaint at once and confirms the receipt."""
    case = history.case
    stages = zip(history.events, history.stages, strict=True)
    first = next((event for event, stage in stages if Flag.SIGNIFICANT in stage.flags), None)
    if first is None:
        return
    receipt = case.executive_receipt_at
    latest = due(first.at, "1 bd", case.rules.calendar).at
    ended = case.closed_at
    is_unconfirmed = receipt is None and latest < (min(ended, house.now) if ended is not None else house.now)
    yield Point(
        "significant complaints, minutes to the receipt of the top",
        (first.seq,),
        measure=None if receipt is None else max(0.0, minutes(first.at, receipt)),
        fault=fault_if("significant complaints, minutes to the receipt of the top", is_unconfirmed),
    )


def layers(house: OrganisationFacts) -> Iterator[Point]:
    """5.3: every role of the levels has a holder."""
    for role in _LEVEL_ROLES:
        is_filled = bool(house.holders(role))
        yield must("roles that somebody holds", is_filled, role=role.value)
