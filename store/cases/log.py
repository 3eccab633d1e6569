"""Log a complaint that reached staff by phone, at the counter, by e-mail or by letter (7.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from complaints.actions.intake import Arrival, message_facts
from complaints.actions.perform import receive
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.case_values import RecordedSign
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.identifiers import new_reference
from complaints.rulebook import Rulebook
from complaints.times import parse_time
from complaints.vocabulary import Verb
from store.cases import conflicts
from store.cases.act import begin_record
from store.cases.conflicts import with_conflicts
from store.database.transaction import Tx
from store.people import staff
from store.people.identifiers import add_identifiers_in, find_or_create_person, keep_identifier
from store.record.access_log import record_after_rollback
from store.rulebooks import load_current_rulebooks
from store.tables import HEARD, MESSAGES

#: The form's fields that hold words of the complainant; the other texts name the person.
COMPLAINT_FIELDS = ("description", "remedy_requested", "for_whom")
#: The form's fields by which the complaint can be searched for, with the kind of identifier of each.
NUMBERS = {"phone": "phone", "email": "email", "customer_ref": "customer"}


class DetectedInWords(Protocol):
    """What the safety rules detect in words: signs of harm, and members of staff who are named."""

    @property
    def signs(self) -> tuple[RecordedSign, ...]:
        """The gravest first."""
        ...

    @property
    def subjects(self) -> tuple[str, ...]:
        """Ids of members of staff."""
        ...


#: Detects signs and names in a text, by the same rules as in a chat: text, rules, names by member, present time.
DetectSigns = Callable[[str, Rulebook, Mapping[str, Sequence[str]], datetime], DetectedInWords]


def log_complaint(
    tx: Tx, key: str, facts: Mapping[str, Any], words: Mapping[str, str], by: Actor, detect: DetectSigns
) -> Case:
    """Record a complaint that a member of staff received (7.2); `key` makes a repeat detectable.

    `facts` and `words` come from the form `log_complaint`. Targets count from `received_at`, which may be in the
    past; `logged_at` is now. Without `jurisdiction` the language decides whose rules apply, as in a chat.
    Raises AlreadyDone for a repeated key, NotAllowed (recorded) and BadFacts.
    """
    if by.least(ACTIONS[Verb.RECEIVE].roles) is None:
        refused = NotAllowed("You may not log a complaint: ask a handler.", code="not_allowed.role")
        record_after_rollback(tx, None, "log_complaint", by, refused)
        raise refused
    if not tx.take(HEARD, {"key": key, "at": tx.now}):
        raise AlreadyDone("This complaint was logged before: nothing changed.", code="already_done")
    rulebooks = load_current_rulebooks(tx)
    language, country = str(facts["language"]), facts.get("jurisdiction")
    if language not in rulebooks.languages:
        raise BadFacts("We do not speak this language.", field="language", code="not_an_option")
    if country is not None and country not in rulebooks.codes:
        raise BadFacts("We do not work in this country.", field="jurisdiction", code="not_an_option")
    rules = rulebooks.for_person(country, language)
    preferred = facts.get("answer_by") or str(facts["channel"])
    person = find_or_create_person(tx, words, rules.country, language=language, preferred=preferred)
    arrival = Arrival(
        ref=new_reference(secrets.randbelow),
        complainant=person,
        channel=str(facts["channel"]),
        language=language,
        received_at=parse_time(str(facts["received_at"])),
        rules=rules,
    )
    texts = {path: words[path] for path in COMPLAINT_FIELDS if words.get(path, "").strip()}
    all_facts = with_conflicts(tx, rules, _facts(tx, facts, texts, by, detect, rules))
    done = receive(arrival, at=tx.now, by=by, facts=all_facts, words=texts)
    file = begin_record(tx, done, contact_id=None)
    conflicts.update_people(tx, done.case, done.event, texts)
    _write_message(tx, arrival)
    add_identifiers_in(tx, file, texts.values())
    for field, kind in NUMBERS.items():
        if words.get(field, "").strip() and not keep_identifier(tx, arrival.ref, kind, words[field]):
            raise BadFacts("This is not a valid number.", field=field, code="not_a_number")
    return done.case


def _facts(
    tx: Tx,
    facts: Mapping[str, Any],
    texts: Mapping[str, str],
    by: Actor,
    detect: DetectSigns,
    rules: Rulebook,
) -> dict[str, Any]:
    detected = detect("\n".join(texts.values()), rules, staff.list_names(tx), tx.now)
    of_words = message_facts(
        field="description",
        has_words="description" in texts,
        signs=detected.signs,
        subjects=detected.subjects,
    )
    return of_words | {
        "recipient_staff": by.id,
        "consent_to_contact": bool(facts.get("consent_to_contact")),
        "answer_by": facts.get("answer_by"),
        # A representative must show their authority before personal data is given to them (4.7).
        "for_whom": "do_not_know" if "for_whom" in texts else None,
    }


def _write_message(tx: Tx, arrival: Arrival) -> None:
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
