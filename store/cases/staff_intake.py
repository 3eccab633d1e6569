"""Complaints that did not arrive in a chat: logged by staff, or imported from a file of closed ones (7.2, 8.2).

Each imported one becomes one `receive` event with the fact `imported`: it creates no obligations, and its ending is
the file's.
"""

import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import select

from complaints.actions.authorisation import authorise, is_allowed
from complaints.actions.intake import Arrival, message_facts
from complaints.actions.perform import receive
from complaints.actors import Actor
from complaints.case import Case
from complaints.case_values import RecordedSign
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.forms import Attachment, attachments_of
from complaints.rulebook import Rulebook
from complaints.times import format_time, local_time, parse_time
from complaints.vocabulary import Role, Verb
from store.cases import conflicts
from store.cases.act import act_on, begin_record
from store.cases.conflicts import with_conflicts
from store.database.gathered import gathered_rows
from store.database.transaction import Tx
from store.files import SLACK, record_received_files
from store.people import staff
from store.people.identification import (
    NamedPerson,
    PersonOnFile,
    add_identifier,
    add_identifiers_in,
    find_or_create_people,
)
from store.proof.hash_chain import canonical, lock_instance_log, record_instance_event
from store.proof.received_keys import take_key
from store.record.access_log import record_after_rollback
from store.record.load import free_references
from store.redaction.contact_details import complainant_text
from store.rulebooks import load_current_rulebooks, load_dated_rulebooks
from store.tables import CONTACTS, MESSAGES, TEXTS
from store.values import ReceivedFile

#: The form's fields that hold words of the complainant; the other texts name the person.
COMPLAINT_FIELDS = ("description", "where_and_when", "remedy_requested", "for_whom")
#: The form's fields by which the complaint can be searched for, with the kind of identifier of each.
NUMBERS = {"phone": "phone", "email": "email", "customer_ref": "customer", "order_ref": "order"}
#: What an answer on each of these ways needs to be on file, and its field in the form.
_ANSWER_NEEDS = {"letter": "address", "phone": "phone", "email": "email"}
#: Beginnings of a file's type, with its kind; all others are documents.
_FILE_KINDS = {"image": "photo", "audio": "audio", "video": "video"}
#: The actor of imported events: it may receive complaints, as intake does.
IMPORTER = Actor("import", frozenset({Role.INTAKE}))


class DetectedInWords(Protocol):
    """What the safety rules detect in words: signs of harm, and members of staff who are named."""

    @property
    def signs(self) -> tuple[RecordedSign, ...]:
        """The gravest first."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """Ids of members of staff."""


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
    try:
        authorise(None, Verb.RECEIVE, by)
    except NotAllowed as refused:
        record_after_rollback(tx, None, "log_complaint", by, refused)
        raise
    if not take_key(tx, key):
        raise AlreadyDone.worded("already_done:log")
    received_at = parse_time(str(facts["received_at"]))
    rulebooks = load_current_rulebooks(tx, received_at)
    language, country = str(facts["language"]), facts.get("jurisdiction")
    if language not in rulebooks.languages:
        raise BadFacts.worded("not_an_option", field="language")
    if country is not None and country not in rulebooks.codes:
        raise BadFacts.worded("not_an_option:country", field="jurisdiction")
    rules = rulebooks.for_person(country, language)
    if facts.get("happened_on", "") > local_time(tx.now, rules.calendar.zone).date().isoformat():
        raise BadFacts.worded("ahead", field="happened_on")
    attachments, representative = attachments_of(words), words.get("representative", "").strip()
    if facts.get("answer_to") == "representative" and not representative:
        raise BadFacts.worded("required:representative", field="representative")
    if "amount" in facts and not facts.get("currency"):
        raise BadFacts.worded("required:currency_of_amount", field="currency")
    preferred = facts.get("answer_by") or str(facts["channel"])
    (person,) = find_or_create_people(tx, [NamedPerson(words, rules.country, language, preferred)])
    _require_contact_point(tx, person.id, facts, words)
    (ref,) = free_references(tx, 1)
    arrival = Arrival(
        ref=ref,
        complainant=person.id,
        channel=str(facts["channel"]),
        language=language,
        received_at=received_at,
        rules=rules,
    )
    texts = {path: words[path] for path in COMPLAINT_FIELDS if words.get(path, "").strip()}
    files = [_received_file(attachment) for attachment in attachments]
    all_facts = with_conflicts(tx, rules, _facts(tx, facts, texts, by, detect, rules, files))
    done = receive(arrival, at=tx.now, actor=by, facts=all_facts, words=texts)
    file = begin_record(tx, done, contact_id=None, name=person.name)
    conflicts.update_people(tx, done.case, done.event, texts)
    _write_message(tx, arrival)
    if representative:
        may = facts.get("answer_to") == "representative"
        conflicts.add_representative(tx, arrival.ref, representative, language, may_receive=may)
    if files:
        record_received_files(tx, file, done.event.seq, files)
    add_identifiers_in(tx, file, texts.values())
    for name, kind in NUMBERS.items():
        if words.get(name, "").strip() and not add_identifier(tx, file, kind, words[name]):
            raise BadFacts.worded("not_a_number:contact", field=name)
    if words.get("immediate_action", "").strip():
        # What staff did is a note of theirs, and none of the complainant's words.
        if not is_allowed(file.case, Verb.NOTE, by):
            raise BadFacts.worded("not_open_to_you:field", field="immediate_action")
        _, file = act_on(tx, file, Verb.NOTE, by, {}, {"text": words["immediate_action"]})
    return file.case


@dataclass(frozen=True)
class PastComplaint:
    """One closed complaint of a file, from this `line`; intake checks the facts in `ending`."""

    line: int
    received_at: datetime
    channel: str
    language: str
    ending: Mapping[str, Any]
    words: Mapping[str, str] = field(repr=False)
    #: Whose rules apply; None means the organisation's own country.
    jurisdiction: str | None = None


def list_known_past(tx: Tx, past: Sequence[PastComplaint]) -> dict[int, str]:
    """The complaints that were imported before: reference by line."""
    line_of = {source: complaint.line for complaint in past for source in _sources(tx, complaint)}
    query = select(TEXTS.c.source, TEXTS.c.ref).where(TEXTS.c.source.in_(line_of))
    return dict(sorted((line_of[row.source], str(row.ref)) for row in tx.connection.execute(query)))


def import_past(tx: Tx, past: Sequence[PastComplaint]) -> dict[int, str]:
    """Import the complaints that are not in the record yet; returns their references by line.

    All rows are computed first and inserted together, so a chunk of a file should be some hundred complaints.
    """
    # What another process imports is committed before this one asks what is known.
    lock_instance_log(tx)
    duplicates = list_known_past(tx, past)
    new = [complaint for complaint in past if complaint.line not in duplicates]
    if not new:
        return {}
    record_instance_event(tx, "import", {"complaints": len(new), "known": len(duplicates)})
    rulebooks = load_dated_rulebooks(tx)
    rules = [rulebooks.at(complaint.received_at).of(complaint.jurisdiction) for complaint in new]
    named = [
        NamedPerson(complaint.words, its_rules.country, complaint.language)
        for complaint, its_rules in zip(new, rules, strict=True)
    ]
    refs = free_references(tx, len(new))
    with gathered_rows(tx) as gathering:
        people = find_or_create_people(gathering, named)
        return {
            complaint.line: _import(gathering, ref, complaint, its_rules, person)
            for ref, complaint, its_rules, person in zip(refs, new, rules, people, strict=True)
        }


def _facts(
    tx: Tx,
    facts: Mapping[str, Any],
    texts: Mapping[str, str],
    by: Actor,
    detect: DetectSigns,
    rules: Rulebook,
    files: Sequence[ReceivedFile],
) -> dict[str, Any]:
    names = staff.list_names(tx)
    staff_names = [name for of_member in names.values() for name in of_member]
    # A name in the header of an e-mail, or of the colleague who forwards it, is not a complaint about that person.
    own_words = {
        field: complainant_text(text, staff=staff_names, organisation=rules.organisation)
        for field, text in texts.items()
    }
    signs = detect("\n".join(texts.values()), rules, {}, tx.now).signs
    subjects = detect("\n".join(own_words.values()), rules, names, tx.now).subjects
    of_words = message_facts(
        field="description",
        has_words="description" in texts,
        signs=signs,
        subjects=subjects,
        media=len(files),
        audible=sum(file.kind in ("audio", "video") for file in files),
    )
    if "amount" in facts:
        of_words |= {
            "amount_requested": int(Decimal(facts["amount"]) * 100),
            "currency_requested": str(facts["currency"]).upper(),
        }
    of_words |= {name: facts[name] for name in ("signed", "happened_on", "answer_to") if facts.get(name)}
    return of_words | {
        "recipient_staff": facts.get("received_by") or by.id,
        "consent_to_contact": bool(facts.get("consent_to_contact")),
        "answer_by": facts.get("answer_by"),
        # A representative must show their authority before personal data is given to them (4.7).
        "for_whom": "do_not_know" if "for_whom" in texts else None,
    }


def _require_contact_point(tx: Tx, person: str, facts: Mapping[str, Any], words: Mapping[str, str]) -> None:
    """Refuse a way to answer without its address or number, which a caller who is on file need not repeat.

    A representative's is with the name, in words.
    """
    way = str(facts.get("answer_by"))
    field = _ANSWER_NEEDS.get(way)
    if field is None or facts.get("answer_to") == "representative" or words.get(field, "").strip():
        return
    of_person = select(CONTACTS.c.id).where(CONTACTS.c.person_id == person, CONTACTS.c.channel == way)
    if tx.connection.execute(of_person).first() is None:
        raise BadFacts.worded("required:contact_point", field=field)


def _received_file(attachment: Attachment) -> ReceivedFile:
    """A scan or an attachment of a letter or an e-mail, which is fetched from Slack."""
    mime = mimetypes.guess_type(attachment.name)[0]
    kind = _FILE_KINDS.get((mime or "").partition("/")[0], "document")
    return ReceivedFile(
        attachment.id, attachment.id, kind, SLACK, mime=mime, size=attachment.size, name=attachment.name
    )


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


def _import(tx: Tx, ref: str, past: PastComplaint, rules: Rulebook, person: PersonOnFile) -> str:
    arrival = Arrival(
        ref=ref,
        complainant=person.id,
        channel=past.channel,
        language=past.language,
        received_at=past.received_at,
        rules=rules,
    )
    facts = message_facts(field="description", has_words=True, source=_sources(tx, past)[0])
    words = {"description": past.words["description"]}
    done = receive(
        arrival, at=tx.now, actor=IMPORTER, facts={**facts, "imported": dict(past.ending)}, words=words
    )
    file = begin_record(tx, done, contact_id=None, name=person.name)
    for name, kind in NUMBERS.items():
        if past.words.get(name):
            add_identifier(tx, file, kind, past.words[name])
    return arrival.ref


def _sources(tx: Tx, past: PastComplaint) -> list[str]:
    """A keyed hash of the row under each secret, to detect a repeat. A plain hash of short words can be guessed."""
    row = [format_time(past.received_at), past.channel, past.language, dict(past.ending), dict(past.words)]
    return [f"import:{index.hex()}" for index in tx.keys.indexes("import", canonical(row))]
