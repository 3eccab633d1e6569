"""`log`: a complaint that reached staff by phone, at the counter, by e-mail or by letter (7.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from complaints.actions.intake import Arrival, said
from complaints.actions.perform import receive
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.case_values import RecordedSign
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.references import new_reference
from complaints.rulebook import Rulebook
from complaints.timestamps import parse_time
from complaints.vocabulary import Verb
from store.cases import conflicts
from store.cases.act import begin_record
from store.cases.conflicts import with_people
from store.cases.refused_attempts import remember
from store.database.transaction import Tx
from store.people import staff
from store.people.identifiers import file_numbers, keep_identifier
from store.people.identity import person_of
from store.rulebooks import load_current_rulebooks
from store.tables import HEARD, MESSAGES

#: The fields of the form that are words of the complaint; the others name the person.
SAID = ("description", "remedy_requested", "for_whom")
#: The form's fields by which the complaint is found again, with the kind of number each is.
NUMBERS = {"phone": "phone", "email": "email", "customer_ref": "customer"}


class DetectedInWords(Protocol):
    """What the plain rules see in words: signs of harm, members of staff named."""

    @property
    def signs(self) -> tuple[RecordedSign, ...]:
        """Gravest first."""
        ...

    @property
    def subjects(self) -> tuple[str, ...]:
        """Ids of staff."""
        ...


#: Reads words by the same rules as in a chat: text, rules, names by member, moment.
Read = Callable[[str, Rulebook, Mapping[str, Sequence[str]], datetime], DetectedInWords]


def log_complaint(
    tx: Tx, key: str, facts: Mapping[str, Any], words: Mapping[str, str], by: Actor, read: Read
) -> Case:
    """Write down what somebody told this person of staff; one transaction, done once a key.

    `facts` and `words` are those of the form `log_complaint`. The figures count from `received_at`, which may
    lie back; `logged_at` is now. Without `jurisdiction` the language says under whose rules it comes, as in a chat.
    Raises AlreadyDone for a known key, NotAllowed (recorded) and BadFacts.
    """
    if by.least(ACTIONS[Verb.RECEIVE].roles) is None:
        refused = NotAllowed("You may not log a complaint: ask a handler.", code="not_allowed.role")
        remember(tx, None, "log_complaint", by, refused)
        raise refused
    if not tx.take(HEARD, {"key": key, "at": tx.now}):
        raise AlreadyDone("This complaint was logged before: nothing changed.", code="already_done")
    known, language, country = load_current_rulebooks(tx), str(facts["language"]), facts.get("jurisdiction")
    if language not in known.languages:
        raise BadFacts("We do not speak this language.", field="language", code="not_an_option")
    if country is not None and country not in known.codes:
        raise BadFacts("We do not work in this country.", field="jurisdiction", code="not_an_option")
    rules = known.for_person(country, language)
    wants = facts.get("answer_by")
    person = person_of(tx, words, rules.country, language=language, preferred=wants or str(facts["channel"]))
    arrival = Arrival(
        ref=new_reference(secrets.randbelow),
        complainant=person,
        channel=str(facts["channel"]),
        language=language,
        received_at=parse_time(str(facts["received_at"])),
        rules=rules,
    )
    told = {path: words[path] for path in SAID if words.get(path, "").strip()}
    heard = with_people(tx, rules, _facts(tx, facts, told, by, read, rules))
    done = receive(arrival, at=tx.now, by=by, facts=heard, words=told)
    file = begin_record(tx, done, contact_id=None)
    conflicts.keep(tx, done.case, done.event, told)
    _message_in(tx, arrival)
    file_numbers(tx, file, told.values())
    for field, kind in NUMBERS.items():
        if words.get(field, "").strip() and not keep_identifier(tx, arrival.ref, kind, words[field]):
            raise BadFacts("That is no such number.", field=field, code="not_a_number")
    return done.case


def _facts(
    tx: Tx, facts: Mapping[str, Any], told: Mapping[str, str], by: Actor, read: Read, rules: Rulebook
) -> dict[str, Any]:
    seen = read("\n".join(told.values()), rules, staff.names(tx), tx.now)
    heard = said(
        field="description", has_words="description" in told, signs=seen.signs, subjects=seen.subjects
    )
    return heard | {
        "recipient_staff": by.id,
        "consent_to_contact": bool(facts.get("consent_to_contact")),
        "answer_by": facts.get("answer_by"),
        # Who speaks for another shows the authority before anything of theirs is told (4.7).
        "for_whom": "do_not_know" if "for_whom" in told else None,
    }


def _message_in(tx: Tx, arrival: Arrival) -> None:
    tx.add(
        MESSAGES,
        ref=arrival.ref,
        contact_id=None,
        seq=1,
        direction="in",
        channel=arrival.channel,
        at=arrival.received_at,
        platform_id=None,
        language=arrival.language,
        state="received",
    )
