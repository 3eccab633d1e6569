"""Letters of staff: their templates, attached files, and letters that are taken back before they leave (7.3, 7.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update

from complaints.actions.action import Fetched
from complaints.actions.authorisation import is_allowed
from complaints.actions.perform import event_obligations, fold
from complaints.actions.registry import ACTIONS
from complaints.actors import SYSTEM, Actor
from complaints.case import Case
from complaints.errors import BadFacts, OutOfOrder
from complaints.event_facts import ATTACHMENTS
from complaints.forms import Attachment
from complaints.history import taken_back_seqs
from complaints.letter_texts import LetterTemplate
from complaints.obligations.standing import current_obligations
from complaints.vocabulary import Verb
from store.cases.act import act, act_key, act_on
from store.database.errors import UnknownRow
from store.database.transaction import Tx, database_seconds
from store.files import ATTACHED, SLACK, list_files, load_bytes, record_received_files
from store.outbox.complete import IS_OPEN
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.people.staff import load_actor
from store.proof.hash_chain import parse_event, record_instance_event, sha256
from store.proof.received_keys import take_key
from store.record.load import CaseFile, load_case_file, load_readable_words
from store.tables import EVENTS, FILES, LETTER_TEMPLATES, MESSAGES, OBLIGATIONS
from store.values import MessageState, ReceivedFile, RecordedAct


def act_with_attachments(
    tx: Tx,
    ref: str,
    verb: Verb,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    attachments: Sequence[Attachment],
    *,
    version: int,
    key: str,
) -> RecordedAct:
    """`act` for a letter with files; an obligation fetches each from Slack, and the letter waits for them."""
    if not attachments:
        return act(tx, ref, verb, by, facts, words, version=version, key=key)
    file = load_case_file(tx, ref, lock=True)
    last = tx.connection.execute(select(func.max(FILES.c.n)).where(FILES.c.ref == ref)).scalar() or 0
    numbers = list(range(last + 1, last + 1 + len(attachments)))
    facts = {**facts, ATTACHMENTS: numbers}
    recorded, after = act_on(tx, file, verb, by, facts, words, version=version, key=key)
    files = [
        ReceivedFile(attached.id, attached.id, ATTACHED, SLACK, size=attached.size, name=attached.name)
        for attached in attachments
    ]
    record_received_files(tx, after, recorded.event.seq, files)
    return recorded


def attachments_state(tx: Tx, ref: str, numbers: Sequence[int]) -> Literal["ready", "waiting", "failed"]:
    """Whether all these files are in the store; `failed` if one cannot be sent."""
    query = select(FILES.c.state).where(FILES.c.ref == ref, FILES.c.n.in_(numbers))
    states = set(tx.connection.execute(query).scalars())
    if states == {"fetched"}:
        return "ready"
    return "waiting" if states <= {"fetched", "announced", "unscanned"} else "failed"


def load_attachment(tx: Tx, ref: str, number: int) -> tuple[str, bytes]:
    """The name that the sender gave the file, and its bytes."""
    file = load_case_file(tx, ref)
    name = next(entry.name for entry in list_files(tx, file) if entry.seq == number)
    return name or f"{ref}-{number}", load_bytes(tx, file, number)


def list_informed(
    tx: Tx, refs: Sequence[str], text: str, since: datetime, *, other_than: str = ""
) -> frozenset[str]:
    """The complaints among these to which this very text went as a letter to many since then, and was not taken back.

    `other_than` is a batch that does not count.
    """
    columns = EVENTS.c
    query = select(columns.ref, columns.entry).where(
        columns.ref.in_(refs),
        columns.at >= since,
        columns.verb.in_([Verb.INFORM.value, Verb.TAKE_BACK.value]),
    )
    events = [(row.ref, parse_event(row.entry)) for row in tx.connection.execute(query)]
    taken_back = {(ref, event.facts.get("seq")) for ref, event in events if event.verb is Verb.TAKE_BACK}
    return frozenset(
        ref
        for ref, event in events
        if event.facts.get("batch") not in (None, other_than)
        and (ref, event.seq) not in taken_back
        and load_readable_words(tx, ref, event.seq).get("text") == text
    )


def take_back(tx: Tx, ref: str, seq: int, by: Actor, *, key: str | None = None) -> RecordedAct:
    """Record that the sender takes back letter `seq`, and end what its act brought: its letters, its later dates.

    Raises OutOfOrder (`already_sent`) if a worker has claimed it or it may have left; then nothing is recorded.
    """
    file = load_case_file(tx, ref, lock=True)
    recorded, _ = act_on(tx, file, Verb.TAKE_BACK, by, {"seq": seq}, {}, key=key)
    if ACTIONS[Verb(recorded.event.facts["letter"])].fetches is Fetched.MERGED:
        _take_back_link(tx, file, seq, by)
    brought = _brought_obligations(file, seq, recorded.case)
    # The acknowledgement that a letter made due is not taken back with it.
    letters = [key for key, kind in brought.items() if kind in SENT_TO_COMPLAINANT - {"acknowledge"}]
    columns = OBLIGATIONS.c
    may_have_left = exists(select(MESSAGES.c.id)).where(
        MESSAGES.c.obligation_id == columns.id, MESSAGES.c.state != MessageState.FAILED.value
    )
    # A letter that failed has not left: an attachment could not be fetched, or the channel refused it.
    is_unsent = or_(columns.state == "failed", and_(IS_OPEN, columns.lease_until <= database_seconds()))
    done = {"state": "done", "ended_at": tx.now, "payload": None, "why": None}
    ended = tx.update_each(
        OBLIGATIONS,
        [columns.scope == ref, columns.key.in_(brought), is_unsent, ~may_have_left],
        # An act that is done again has the same obligations: their keys must be free.
        lambda row: {**done, "key": f"{row.key}:taken_back:{recorded.event.seq}"},
    )
    left = select(columns.id).where(columns.scope == ref, columns.key.in_(letters))
    if (
        SENT_TO_COMPLAINANT.isdisjoint(row.kind for row in ended)
        or tx.connection.execute(left).first() is not None
    ):
        raise OutOfOrder.worded("already_sent:letter", seq=seq, ref=ref)
    tx.obligations_changed = True
    return recorded


def _brought_obligations(file: CaseFile, seq: int, now: Case) -> dict[str, str]:
    """The obligations that this act brought and that are not required `now`, by key with their kind."""
    before, after = (fold(file.events[:number], now.first_rules) for number in (seq - 1, seq))
    required = {row.key for case in (before, now) for row in current_obligations(case)}
    brought = [row for row in current_obligations(after) if row.key not in required]
    brought += [
        row for row in event_obligations(after, file.events[seq - 1]) if row.kind in SENT_TO_COMPLAINANT
    ]
    resent = ["", *(f":r{number}" for number in range(1, now.returns + 1))]
    return {f"{row.key}{suffix}": row.kind for row in brought for suffix in resent}


def _take_back_link(tx: Tx, file: CaseFile, seq: int, by: Actor) -> None:
    """The complaint that a merged one joined loses the link again."""
    other = load_case_file(tx, str(file.events[seq - 1].facts["other_ref"]), lock=True)
    links = [event for event in other.events if event.facts.get("other_ref") == file.case.ref]
    act_on(tx, other, Verb.TAKE_BACK, by, {"seq": links[-1].seq}, {})


def take_back_one_of_many(tx: Tx, ref: str, batch: str, job: str, by: Actor) -> bool:
    """Take back this complaint's letter of a batch; one that its job has not recorded yet will never be recorded.

    `job` is the key of the obligation that records the letters. False if there is no letter to take back. Raises
    OutOfOrder as `take_back` does.
    """
    file = load_case_file(tx, ref, lock=True)
    seqs = [event.seq for event in file.events if event.facts.get("batch") == batch]
    if not seqs:
        take_key(tx, act_key(ref, job))
        columns = OBLIGATIONS.c
        is_under_way = select(columns.id).where(columns.scope == "", columns.key == job, IS_OPEN)
        return tx.connection.execute(is_under_way).first() is not None
    if not taken_back_seqs(file.events) & set(seqs):
        take_back(tx, ref, seqs[0], by)
    return True


def end_conversations_without_right(tx: Tx) -> None:
    """End the conversations of people who may not go on; called after roles changed."""
    talks = select(OBLIGATIONS.c.ref).where(IS_OPEN, OBLIGATIONS.c.kind == "talk_end").distinct()
    for ref in tx.connection.execute(talks).scalars().all():
        talk = (case := load_case_file(tx, str(ref), lock=True).case).talk
        if talk is not None and not is_allowed(case, Verb.TALK, load_actor(tx, talk.member)):
            facts = {"phase": "end", "thread": talk.thread, "because": "right"}
            act(tx, case.ref, Verb.TALK, SYSTEM, facts)


_COLUMNS = LETTER_TEMPLATES.c


def save_template(tx: Tx, template: LetterTemplate) -> LetterTemplate:
    """Store the next version; number 0 is a new template.

    Raises BadFacts if another version was saved after the one that `template` was made from.
    """
    highest = func.coalesce(func.max(_COLUMNS.number), 0)
    number = template.number or tx.connection.execute(select(highest)).scalar_one() + 1
    of_number = select(func.coalesce(func.max(_COLUMNS.version), 0)).where(_COLUMNS.number == number)
    version = tx.connection.execute(of_number).scalar_one()
    if template.number and template.version != version:
        raise BadFacts.worded("template_changed", field="text", number=number)
    saved = replace(template, number=number, version=version + 1, at=tx.now, used=0, edited=0)
    tx.add(LETTER_TEMPLATES, **asdict(saved))
    facts = {"template": saved.code, "by": saved.by, "retired": saved.is_retired, "text": sha256(saved.text)}
    record_instance_event(tx, "save_template", facts)
    return saved


def list_templates(tx: Tx) -> list[tuple[LetterTemplate, int, int]]:
    """The newest version of each template, with how often all its versions were used and changed before sending."""
    newest: dict[int, tuple[LetterTemplate, int, int]] = {}
    query = select(LETTER_TEMPLATES).order_by(_COLUMNS.number, _COLUMNS.version)
    for row in tx.connection.execute(query).mappings():
        template = LetterTemplate(**row)
        _, used, edited = newest.get(template.number, (None, 0, 0))
        newest[template.number] = (template, used + template.used, edited + template.edited)
    return list(newest.values())


def load_template(tx: Tx, code: str) -> LetterTemplate:
    """One version by its code, `3.2`. Raises UnknownRow."""
    row = tx.connection.execute(select(LETTER_TEMPLATES).where(*_is_version(code))).mappings().first()
    if row is None:
        raise _unknown(code)
    return LetterTemplate(**row)


def count_template_use(tx: Tx, code: str, *, is_edited: bool) -> None:
    tx.connection.execute(
        update(LETTER_TEMPLATES)
        .where(*_is_version(code))
        .values(used=_COLUMNS.used + 1, edited=_COLUMNS.edited + int(is_edited))
    )


def _is_version(code: str) -> tuple[ColumnElement[bool], ...]:
    """The row of a version; raises UnknownRow for what is no code."""
    number, _, version = code.partition(".")
    if not (number.isdecimal() and version.isdecimal()):
        raise _unknown(code)
    return _COLUMNS.number == int(number), _COLUMNS.version == int(version)


def _unknown(code: str) -> UnknownRow:
    return UnknownRow(f"no template has the code {code}")
