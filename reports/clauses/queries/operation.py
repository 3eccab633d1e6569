"""What the record shows of clauses 5.3 and 7.1 to 7.5: told before it is sent, received, tracked, assessed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from complaints.case import Event
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.priorities import priority_of
from complaints.vocabulary import Flag, Role, Target, Verb
from reports.case_clocks import clocks, endings, first_human_priority
from reports.case_measures import UNANSWERED, kept
from reports.clauses.evidence import House, Point, must
from reports.clauses.queries.principles import HUMAN, NOTICES, READ_BACK, hours, minutes

_TOP = (Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT)
_LOWER = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})


def responsibility(seen: CaseHistory, house: House) -> Iterator[Point]:
    """5.3: the top hears of a significant complaint at once, and says that it has seen it."""
    case = seen.case
    first = next(
        (event for event, stage in zip(seen.events, seen.stages, strict=True) if _significant(stage.flags)),
        None,
    )
    if first is None:
        return
    receipt = case.executive_receipt_at
    latest = due(first.at, "1 bd", case.rules.calendar).at
    ended = case.closed_at
    unseen = receipt is None and latest < (min(ended, house.now) if ended is not None else house.now)
    yield Point(
        "significant complaints, minutes to the receipt of the top",
        (first.seq,),
        measure=None if receipt is None else max(0.0, minutes(first.at, receipt)),
        fault="significant, and the top has not said for a working day that it has seen it: press the receipt"
        if unseen
        else None,
    )


def _significant(flags: frozenset[Flag]) -> bool:
    return Flag.SIGNIFICANT in flags


def layers(house: House) -> Iterator[Point]:
    """5.3: the roles are filled."""
    for role in _TOP:
        filled = bool(house.holders(role))
        yield must(
            "roles that somebody holds", filled, f"nobody is {role.value}: name somebody under [roles]"
        )


def communication(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.1: who pressed Send had been read back what is sent, with date, rights and that it is free."""
    for event in seen.of_verb(Verb.CONFIRM):
        shown = [
            one
            for one in seen.messages
            if one.direction == "out"
            and one.template in READ_BACK
            and one.at <= event.at
            and one.state in ("sent", "uncertain", "sending")
        ]
        yield must(
            "sent after the notices were shown",
            bool(shown),
            "signed before the notices were shown: tell the complainant what follows",
            (event.seq,),
        )
        last = shown[-1] if shown else None
        if last is not None and last.version is not None:
            present = house.versions.get((str(last.language), str(last.template)))
            yield Point("shown in the wording now in force", (event.seq,), hit=last.version == present)


def texts(house: House) -> Iterator[Point]:
    """7.1: what must be told is there in every language."""
    for language in house.rules.languages:
        for id_ in NOTICES:
            there = bool(house.texts.get(language, {}).get(id_, "").strip())
            yield must(
                "texts that tell how it goes", there, f"the text '{id_}' is missing in {language}: write it"
            )


def receipt(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.2: under one reference, with what was said, when, over what; nothing lost in between."""
    case, first = seen.case, seen.events[0]
    missing = [
        name
        for name in ("ref", "complainant", "channel", "language", "received_at")
        if not first.facts.get(name)
    ]
    told = any(seen.fields.get(one.seq) for one in seen.events if one.verb in (Verb.RECEIVE, Verb.ADD))
    if not told and not case.media and case.erased_at is None:
        missing.append("description")
    if case.assessment is not None and not case.issues:
        missing.append("issues")
    fault = f"without {', '.join(missing)}: ask for it and add it" if missing else None
    if fault is None and case.received_at > case.logged_at:
        fault = "logged before it was received: correct the time"
    yield Point("records with everything that must be there", (first.seq,), hit=fault is None, fault=fault)
    gaps = [later.seq for one, later in pairwise(seen.events) if later.seq != one.seq + 1]
    if first.seq != 1 or gaps:
        yield Point("gaps", tuple(gaps), fault="an event is missing: run `amends db verify`")


def whole(house: House) -> Iterator[Point]:
    """7.2: no complaint without its events and no event without its complaint."""
    if house.proof is not None:
        bad = house.proof.first_bad
        fault = None if bad is None else f"{bad[0]} at {bad[1]}: {bad[2]}; run `amends db verify`"
        yield Point("the record is whole", fault=fault)


def tracking(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.3: at every preset deadline the complainant heard something; every due time says where it is from."""
    case, ended = seen.case, endings(seen.case)
    for clock in clocks(case, Target.UPDATE):
        if clock.met_at in ended:
            continue
        late = due(clock.due, "1 bd", case.rules.calendar).at
        silent = late < (clock.met_at or case.closed_at or house.now) and _can_hear(seen)
        passed = clock.due < (clock.met_at or case.closed_at or house.now)
        yield Point(
            "deadlines with a message",
            hit=not silent if passed or clock.met_at else None,
            fault="a deadline passed without a message to the complainant: inform them now"
            if silent
            else None,
        )
    for one in case.targets:
        explained = bool(one.basis and one.span)
        yield must(
            "due times that explain themselves",
            explained,
            "a due time without its reason: run `amends db verify`",
        )


def _can_hear(seen: CaseHistory) -> bool:
    """Nothing is sent to who took it back, or whom nothing reaches; that is told elsewhere."""
    return not seen.case.flags & {Flag.UNREACHABLE, Flag.WITHDRAWN, Flag.NO_CONTACT}


def acknowledgement(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.4: acknowledged within the target, those never acknowledged included."""
    case = seen.case
    for clock in clocks(case, Target.ACK):
        given = [
            at
            for at in case.acks.values()
            if clock.start <= at and (clock.next_start is None or at < clock.next_start)
        ]
        first = min(given, default=None)
        answer = kept(clock.due, first, clock.next_start or clock.met_at or case.closed_at, house.now)
        if answer is None and first is None and case.close_code not in (None, *UNANSWERED):
            answer = False
        told_otherwise = case.delivery_failed_at is not None and case.other_route
        never = answer is False and first is None and not told_otherwise
        if answer is None:
            continue
        yield Point(
            "acknowledged in time",
            tuple(one.seq for one in seen.of_verb(Verb.ACKNOWLEDGE) if one.at == first),
            hit=answer,
            fault="never acknowledged: acknowledge it now, by voice if need be" if never else None,
        )


def assessment(seen: CaseHistory, house: House) -> Iterator[Point]:
    """7.5: a person set the criteria, having read and heard; nobody lowered what a safety rule had raised."""
    case = seen.case
    made = seen.of_verb(Verb.ASSESS, Verb.REASSESS)
    for event in made:
        fault = _assessed_wrongly(seen, event, house)
        yield Point("assessed by a person who had read", (event.seq,), hit=fault is None, fault=fault)
    if made:
        yield Point("hours to the first assessment", measure=max(0.0, hours(case.received_at, made[0].at)))
    if case.decisions and not made:
        yield Point(
            "decided without assessment",
            fault="decided without an assessment by a person: assess it and look at the decision again",
        )
    first = first_human_priority(case)
    if first is not None and not case.is_open:
        yield Point("first priority kept to the end", hit=first is priority_of(case))


def _assessed_wrongly(seen: CaseHistory, event: Event, house: House) -> str | None:
    before = seen.before(event)
    if event.role not in HUMAN:
        return "assessed without a person: assess it"
    first = event.verb is Verb.ASSESS
    wrote_it_down = seen.events[0].by == event.by
    had_read = any(one.by == event.by and one.at <= event.at for one in seen.reads)
    if first and not had_read and not wrote_it_down:
        return "assessed by somebody who had not opened it: open it and assess it again"
    if before.told_only_in_media and not (before.media_heard or event.facts.get("media_heard")):
        return "told only in media that nobody has heard: listen and assess it again"
    signs = before.signs if first else before.fresh_signs
    severity = max((one.severity for one in signs), default=0)
    safety = max((one.safety for one in signs), default=0)
    below = int(event.facts["severity"]) < severity or int(event.facts["safety"]) < safety
    if below and not house.roles_at(event.by, event.at, event.role) & _LOWER:
        return "set below a safety rule by somebody who may not: a manager looks at it again"
    if below and not seen.has_words(event, "override_reason") and seen.case.erased_at is None:
        return "set below a safety rule without a reason: a manager looks at it again"
    return None
