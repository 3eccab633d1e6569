"""Letters to a complainant without a chat: staff read them out, and the record holds the exact words."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from complaints.case import Event
from complaints.obligations.kinds import OFFLINE_FACTS, NewObligation, SendPriority
from store.database.transaction import Tx
from store.outbox.rows import schedule_for_case
from store.proof.seal import place, seal
from store.record.load import CaseFile, case_key
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from store.values import MessageState, Obligation

#: The letters that an act with this `what` completes. `letter` completes all others, see `mark_read_out`.
_COMPLETES = {
    "acknowledge": frozenset({"acknowledge"}),
    "decision": frozenset({"decision"}),
    "accept": frozenset({"decision", "reply_reminder"}),
    "disagree": frozenset({"decision", "reply_reminder"}),
    "recourse": frozenset({"recourse"}),
}
#: Letters that only an act of their own completes.
_WITH_OWN_ACT = frozenset({"acknowledge", "decision", "recourse"})


def save_words_to_read_out(
    tx: Tx, obligation: Obligation, text: str, *, template: str, language: str
) -> None:
    """Record the exact words that staff must read out; only once for an obligation, even if it is retried."""
    ref = obligation.ref
    saved = tx.connection.execute(
        select(MESSAGES.c.id).where(MESSAGES.c.obligation_id == obligation.id)
    ).first()
    if saved is not None or ref is None:
        return
    wrapped = tx.connection.execute(
        select(COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.ref == ref)
    ).scalar_one()
    number: int = tx.connection.execute(
        insert(MESSAGES)
        .values(
            ref=ref,
            obligation_id=obligation.id,
            direction="out",
            channel=str(obligation.facts["by"]),
            at=tx.now,
            template=template,
            language=language,
            state=MessageState.TO_TELL.value,
        )
        .returning(MESSAGES.c.id)
    ).scalar_one()
    key = case_key(tx, ref, wrapped)
    tx.connection.execute(
        update(MESSAGES)
        .where(MESSAGES.c.id == number)
        .values(sealed=seal(key, text, place("messages", number, "text")), sealed_with="case")
    )


def mark_read_out(tx: Tx, event: Event, ref: str) -> None:
    """Mark the letters as told that staff passed on by voice, according to this event."""
    if "given_at" not in event.facts:
        return
    what = str(event.facts.get("what", ""))
    completed = _COMPLETES.get(what, frozenset())
    for number, about in _letters_to_tell(tx, ref):
        if about in completed or (what == "letter" and about not in _WITH_OWN_ACT):
            _mark(tx, number, MessageState.TOLD)


def move_letters_to_chat(tx: Tx, file: CaseFile) -> None:
    """Send through the new chat the letters that staff have not passed on by voice yet."""
    ref = file.case.ref
    letters: dict[str, NewObligation] = {}
    query = select(OBLIGATIONS).where(
        OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "tell_by_voice", OBLIGATIONS.c.state == "open"
    )
    waiting = list(tx.connection.execute(query))
    numbers = [number for number, _ in _letters_to_tell(tx, ref)]
    obligation_ids = select(MESSAGES.c.obligation_id).where(MESSAGES.c.id.in_(numbers))
    to_tell = tx.connection.execute(select(OBLIGATIONS).where(OBLIGATIONS.c.id.in_(obligation_ids)))
    for row in (*waiting, *to_tell):
        # What follows from the state of the complaint is scheduled anyway; a letter of one event is scheduled here.
        if row.facts.get("once"):
            key = row.key.removeprefix("voice:")
            facts = {name: value for name, value in row.facts.items() if name not in OFFLINE_FACTS}
            letters[key] = NewObligation(key, str(row.facts["about"]), tx.now, SendPriority.NOTICE, facts)
    for number in numbers:
        _mark(tx, number, MessageState.BY_CHAT)
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "tell_by_voice", OBLIGATIONS.c.state == "open")
        .values(state="done", ended_at=tx.now)
    )
    schedule_for_case(tx, ref, file.contact_id, letters.values())


def _letters_to_tell(tx: Tx, ref: str) -> list[tuple[int, str]]:
    query = (
        select(MESSAGES.c.id, OBLIGATIONS.c.facts)
        .join(OBLIGATIONS, OBLIGATIONS.c.id == MESSAGES.c.obligation_id)
        .where(MESSAGES.c.ref == ref, MESSAGES.c.state == MessageState.TO_TELL.value)
        .order_by(MESSAGES.c.id)
    )
    return [(row.id, str(row.facts.get("about", ""))) for row in tx.connection.execute(query)]


def _mark(tx: Tx, number: int, state: MessageState) -> None:
    tx.connection.execute(update(MESSAGES).where(MESSAGES.c.id == number).values(state=state.value))
