"""Read complaints: one case for a person (the read is logged, 4.7), its history and translations, and lists."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from sqlalchemy import and_, or_, select

from complaints.actions.authorisation import Access, is_allowed
from complaints.actions.intake import TRANSLATION
from complaints.actors import Actor
from complaints.case import Case, Event, events_of, last_of
from complaints.forms import FORMS
from complaints.similarity import SimilarCase
from complaints.times import format_time, json_fields
from complaints.vocabulary import Flag, Verb
from store.cases.conflicts import find_support_needs
from store.cases.record_fields import read_by_denied, recipient
from store.database.errors import UNREADABLE, UnknownRow, collecting_damage
from store.database.keyring import unseal
from store.database.transaction import Tx
from store.files import list_files
from store.outbox.complete import GIVEN_UP
from store.outbox.deliveries import list_deliveries, message_text_place
from store.people.contacts import load_chat
from store.people.identification import list_complainant_names
from store.record.access_log import find_reason, load_readable, write_read
from store.record.load import (
    CaseFile,
    load_all_texts,
    load_case_file,
    load_many,
    load_words_by_event,
    newest_versions,
)
from store.record.projections import NEVER
from store.record.worklists import load_visible_cases
from store.similarity.similar import list_similar_cases
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from store.values import Delivery, MergedCase, Obligation, OpenedCase, Text, WordsToTranslate

#: Similar cases that a person sees with a proposal.
SIMILAR_SHOWN = 3
#: What of a complaint is not opened without a reason by a person whose complaint it is not.
ASKS_REASON = {"open", "model"} | {name for name, form in FORMS.items() if form.asks_reason}
#: What `list_cases` shows of a complaint as it is in the row.
_LISTED = ("ref", "jurisdiction", "state", "priority", "category", "owner")


def load_case(tx: Tx, ref: str) -> Case:
    """One complaint, folded from its events; raises UnknownReference."""
    return load_case_file(tx, ref).case


def load_history(tx: Tx, ref: str) -> list[Event]:
    """The events of a complaint in order, without words; raises UnknownReference."""
    return list(load_case_file(tx, ref).events)


def load_card_lists(
    tx: Tx, ref: str, *, has_similar: bool
) -> tuple[Sequence[SimilarCase], Sequence[Delivery], Sequence[Event]]:
    """What a card lists of a complaint: similar complaints that every handler may know of, deliveries, events."""
    similar = list_similar_cases(tx, ref) if has_similar else ()
    return similar, list_deliveries(tx, ref), load_case_file(tx, ref).events


def read_dates(tx: Tx, ref: str, by: Actor) -> tuple[Case, tuple[Event, ...]]:
    """The complaint and its events without words, from which its dates are explained.

    Raises NotAllowed (recorded). No read is recorded, because nothing personal is shown.
    """
    file = load_readable(tx, ref, by, "open")
    return file.case, file.events


def read_alarm_words(tx: Tx, ref: str, by: Actor) -> str:
    """What the complainant wrote since the open danger began, in order; the read is logged (4.7).

    Raises NotAllowed (recorded).
    """
    file = load_readable(tx, ref, by, "page")
    alarm = file.case.alarm
    if alarm is None:
        return ""
    since = {event.seq for event in file.events if event.at >= alarm.at}
    with collecting_damage():
        # Damaged words must not keep anybody from being paged.
        texts = [text.text for text in newest_versions(load_all_texts(tx, file)) if text.seq in since]
    write_read(tx, file.case, by, "page", None, whole=False)
    return "\n\n".join(texts)


def open_case(
    tx: Tx,
    ref: str,
    by: Actor,
    what: str,
    reason: str | None = None,
    *,
    is_whole: Callable[[OpenedCase], bool] = lambda opened: True,
) -> OpenedCase:
    """Everything that this person may see of a complaint; the read is logged with its reason (4.7).

    `is_whole`: whether the reader sees all that the complainant wrote. Words that are damaged in the database are
    marked and their places named. Raises NotAllowed (recorded), and ReasonNeeded where `what` is one of
    `ASKS_REASON` and neither the case nor `reason` says why; assessing says it itself.
    """
    file = load_readable(tx, ref, by, "open")
    case = file.case
    if reason is None and what in ASKS_REASON:
        reason = find_reason(tx, case, by)
    with collecting_damage() as damaged:
        opened = _load_opened(tx, file, by)
    write_read(tx, case, by, what, reason, whole=is_whole(opened))
    return replace(
        opened,
        damaged=tuple(damaged),
        # A form must not take the mark of damaged words for words.
        draft_words={field: text for field, text in opened.draft_words.items() if text != UNREADABLE},
    )


def read_last_words(tx: Tx, ref: str, by: Actor) -> Sequence[Text]:
    """The complainant's last words, for the person who talks with them; a read that is not of the whole (4.7)."""
    file = load_readable(tx, ref, by, Verb.TALK.value)
    write_read(tx, file.case, by, Verb.TALK.value, whole=False)
    with collecting_damage():
        return newest_versions(load_all_texts(tx, file))[-1:]


def _load_opened(tx: Tx, file: CaseFile, by: Actor) -> OpenedCase:
    case, ref = file.case, file.case.ref
    words = load_words_by_event(tx, file)
    # The survey promises that people who worked on the complaint do not see who answered.
    sees_survey = is_allowed(case, Access.SURVEY, by)
    hidden = {event.seq for event in events_of(file.events, Verb.SURVEY) if not sees_survey}
    drafted = {} if case.drafted is None else words.get(case.drafted.seq, {})
    return OpenedCase(
        case=case,
        texts=tuple(text for text in load_all_texts(tx, file) if text.seq not in hidden),
        files=list_files(tx, file),
        events=tuple(
            replace(event, words=words.get(event.seq, {})) for event in file.events if event.seq not in hidden
        ),
        messages=tuple(
            message for message in list_messages(tx, file) if not hidden or not shows_survey(message, hidden)
        ),
        proposal=_proposal_for(tx, find_latest_proposal(file, words), by),
        draft_words=drafted,
        # Anonymous to all staff, if the complainant asked for it.
        complainant_name=None
        if Flag.ANONYMOUS in case.flags
        else " / ".join(list_complainant_names(tx, ref)) or None,
        recipient=recipient(tx, case) if case.is_offline else None,
        support_needs=find_support_needs(tx, case.complainant),
        merged=tuple(_merged(tx, merged_ref) for merged_ref in case.merged),
        translations={
            key: text
            for translated in (file, *load_many(tx, case.merged))
            for key, text in load_translations(tx, translated).items()
        },
        earlier_reads=tuple(read_by_denied(tx, case)),
        similar_cases=list_similar_cases(tx, ref, by),
        deliveries=list_deliveries(tx, ref),
    )


def _merged(tx: Tx, ref: str) -> MergedCase:
    # One whose events cannot be read is noted as damaged: the rest opens.
    texts = [text for file in load_many(tx, [ref]) for text in load_all_texts(tx, file)]
    files = [entry for file in load_many(tx, [ref]) for entry in list_files(tx, file)]
    return MergedCase(ref, tuple(texts), tuple(files))


def find_latest_proposal(file: CaseFile, words: Mapping[int, Mapping[str, str]]) -> dict[str, Any] | None:
    """The model's latest proposal with its words; None if it made none."""
    last = last_of(file.events, Verb.PROPOSE)
    return None if last is None else proposal_record(last, words)


def proposal_record(event: Event, words: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
    """One proposal with its words."""
    details = {
        field: json.loads(text) for field, text in words.get(event.seq, {}).items() if text != UNREADABLE
    }
    issues = zip_longest(event.facts.get("issues", ()), details.pop("matters", ()))
    criteria = zip_longest(event.facts.get("criteria", ()), details.pop("evidence", ()))
    return {
        **event.facts,
        "at": format_time(event.at),
        "because": None,
        **details,
        "issues": [{**issue, "text": text} for issue, text in issues if issue is not None],
        "criteria": [{**row, "words": words} for row, words in criteria if row is not None],
    }


def _proposal_for(tx: Tx, proposed: dict[str, Any] | None, by: Actor) -> dict[str, Any] | None:
    """The proposal with the first similar cases that this reader may know of and that are not erased."""
    if proposed is None or not proposed.get("similar"):
        return proposed
    refs = [str(similar["ref"]) for similar in proposed["similar"]]
    allowed = {case.ref for case in load_visible_cases(tx, refs, by) if case.erased_at is None}
    similar_cases = [similar for similar in proposed["similar"] if similar["ref"] in allowed]
    return with_first_similar({**proposed, "similar": similar_cases})


def with_first_similar(proposed: dict[str, Any] | None) -> dict[str, Any] | None:
    """The proposal with `SIMILAR_SHOWN` similar cases; it stores more, because a reader may not know of all."""
    if proposed is None or not proposed.get("similar"):
        return proposed
    return {**proposed, "similar": proposed["similar"][:SIMILAR_SHOWN]}


def list_messages(tx: Tx, file: CaseFile) -> list[dict[str, Any]]:
    """Every message in and out, in order, with its exact text; `text` is None once erased."""
    words = load_words_by_event(tx, file)
    query = select(MESSAGES).where(MESSAGES.c.ref == file.case.ref).order_by(MESSAGES.c.id)
    records = []
    for row in tx.connection.execute(query):
        if row.sealed is not None and file.key_wrapped is not None:
            text: str | None = unseal(file.key(tx), row.sealed, message_text_place(row.id))
        else:
            text = "\n".join(words[row.seq].values()) if row.seq in words else None
        records.append(
            {
                **json_fields(row, "seq direction at"),
                "text": text,
                **json_fields(row, "template language state reason channel platform_id"),
            }
        )
    return records


def shows_survey(entry: Mapping[str, Any], answers: Collection[int]) -> bool:
    """Whether a text, event or message shows that the survey was answered: an answer, or what the bot says then."""
    return entry["seq"] in answers or str(entry.get("template")).startswith(("survey.", "after_survey."))


def list_cases(
    tx: Tx,
    state: str | None = None,
    owner: str | None = None,
    priority: str | None = None,
    overdue: bool = False,
    after: str | None = None,
    limit: int = 50,
    category: str | None = None,
    incident: int | None = None,
    jurisdiction: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of complaints, the next due first, and the cursor of the next page; None after the last page."""
    columns = COMPLAINTS.c
    query = select(
        *(columns[name] for name in _LISTED), columns.received_at, columns.next_target, columns.next_due_at
    )
    filters = (
        (columns.state, state),
        (columns.owner, owner),
        (columns.priority, priority),
        (columns.category, category),
        (columns.incident_id, incident),
        (columns.jurisdiction, jurisdiction),
    )
    for column, wanted in filters:
        if wanted is not None:
            query = query.where(column == wanted)
    if overdue:
        query = query.where(columns.next_due_at < tx.now)
    if after is not None:
        due, ref = _cursor(after)
        query = query.where(
            or_(columns.next_due_at > due, and_(columns.next_due_at == due, columns.ref > ref))
        )
    rows = tx.connection.execute(query.order_by(columns.next_due_at, columns.ref).limit(limit + 1)).all()
    listed = [
        {
            **{name: getattr(row, name) for name in _LISTED},
            "received_at": format_time(row.received_at),
            "next_due": _next(row.next_target, row.next_due_at),
        }
        for row in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return listed, None if last is None else f"{format_time(last.next_due_at)}_{last.ref}"


def _next(target: str | None, due: datetime) -> dict[str, str] | None:
    return None if target is None or due == NEVER else {"target": target, "at": format_time(due)}


def _cursor(after: str) -> tuple[datetime, str]:
    due, _, ref = after.partition("_")
    try:
        return datetime.fromisoformat(due), ref
    except ValueError:
        raise UnknownRow(f"{after!r} is not a cursor: give `next` of the page before") from None


def load_words_to_translate(tx: Tx, obligation: Obligation) -> WordsToTranslate:
    """The words that an obligation of kind `translate` is about; none once erased."""
    file, seq = load_case_file(tx, str(obligation.ref)), int(obligation.facts["event"])
    case = file.case
    return WordsToTranslate(
        case.ref,
        seq,
        load_words_by_event(tx, file).get(seq, {}),
        case.written_language,
        None if case.merged_into is not None else load_chat(tx, file.contact_id),
    )


def load_translations(tx: Tx, file: CaseFile) -> Mapping[tuple[str, int, str], str | None]:
    """The translations by reference, event and field of the original; None where the translator gave none."""
    ref = file.case.ref
    query = select(OBLIGATIONS.c.facts).where(
        OBLIGATIONS.c.scope == ref,
        OBLIGATIONS.c.kind == "translate",
        OBLIGATIONS.c.state.in_(("failed", GIVEN_UP)),
    )
    failed = [int(row.facts["event"]) for row in tx.connection.execute(query)]
    translated = [event for event in file.events if event.facts.get("kind") == TRANSLATION]
    if not failed and not translated:
        # Most desks have no translator: the words are not opened once more.
        return {}
    words = load_words_by_event(tx, file)
    translations: dict[tuple[str, int, str], str | None] = {
        (ref, seq, field): None for seq in failed for field in words.get(seq, ())
    }
    for event in translated:
        for field, text in words.get(event.seq, {}).items():
            original = field.removeprefix(f"{TRANSLATION}.")
            translations[ref, int(event.facts["translates"]), original] = text
    return translations
