"""What people tell where no chat takes it: the exact words on the record, until somebody has told them."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from complaints.case import Event
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.offline import VOICE_FACTS
from store.cases.load import CaseFile, case_key
from store.database.transaction import Tx
from store.outbox.rows import schedule_for_case
from store.proof.seal import place, seal
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from store.values import MessageState, Obligation

#: What somebody says that they told or heard, and which of our letters it settles; the rest is `letter`.
_SETTLES = {
    "acknowledge": frozenset({"acknowledge"}),
    "decision": frozenset({"decision"}),
    "accept": frozenset({"decision", "reply_reminder"}),
    "disagree": frozenset({"decision", "reply_reminder"}),
    "recourse": frozenset({"recourse"}),
}
_OWN = frozenset({"acknowledge", "decision", "recourse"})


def save_words_to_read_out(tx: Tx, owed: Obligation, text: str, *, template: str, language: str) -> None:
    """Write down the exact words that somebody is to tell; once a duty, however often it is tried."""
    known = tx.connection.execute(select(MESSAGES.c.id).where(MESSAGES.c.obligation_id == owed.id)).first()
    if known is not None or owed.ref is None:
        return
    wrapped = tx.connection.execute(
        select(COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.ref == owed.ref)
    ).scalar_one()
    number: int = tx.connection.execute(
        insert(MESSAGES)
        .values(
            ref=owed.ref,
            obligation_id=owed.id,
            direction="out",
            channel=str(owed.facts["by"]),
            at=tx.now,
            template=template,
            language=language,
            state=MessageState.TO_TELL.value,
        )
        .returning(MESSAGES.c.id)
    ).scalar_one()
    key = case_key(tx, owed.ref, wrapped)
    tx.connection.execute(
        update(MESSAGES)
        .where(MESSAGES.c.id == number)
        .values(sealed=seal(key, text, place("messages", number, "text")), sealed_with="case")
    )


def mark_told(tx: Tx, event: Event, ref: str) -> None:
    """Somebody of staff says what was told or heard by voice: those letters are told."""
    if "given_at" not in event.facts:
        return
    what = str(event.facts.get("what", ""))
    wanted = _SETTLES.get(what, frozenset())
    for number, about in _untold(tx, ref):
        if about in wanted or (what == "letter" and about not in _OWN):
            _mark(tx, number, MessageState.TOLD)


def over_to_chat(tx: Tx, file: CaseFile) -> None:
    """There is a chat now: what nobody has told yet by voice goes there."""
    ref = file.case.ref
    letters: dict[str, NewObligation] = {}
    query = select(OBLIGATIONS).where(
        OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "tell_by_voice", OBLIGATIONS.c.state == "open"
    )
    waiting = list(tx.connection.execute(query))
    untold = [number for number, _ in _untold(tx, ref)]
    of_untold = select(MESSAGES.c.obligation_id).where(MESSAGES.c.id.in_(untold))
    told = tx.connection.execute(select(OBLIGATIONS).where(OBLIGATIONS.c.id.in_(of_untold)))
    for row in (*waiting, *told):
        # What the complaint as it stands still owes comes by itself; what one event owed is owed again.
        if row.facts.get("once"):
            key = row.key.removeprefix("voice:")
            facts = {name: value for name, value in row.facts.items() if name not in VOICE_FACTS}
            letters[key] = NewObligation(key, str(row.facts["about"]), tx.now, SendPriority.NOTICE, facts)
    for number in untold:
        _mark(tx, number, MessageState.BY_CHAT)
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "tell_by_voice", OBLIGATIONS.c.state == "open")
        .values(state="done", ended_at=tx.now)
    )
    schedule_for_case(tx, ref, file.contact_id, letters.values())


def _untold(tx: Tx, ref: str) -> list[tuple[int, str]]:
    query = (
        select(MESSAGES.c.id, OBLIGATIONS.c.facts)
        .join(OBLIGATIONS, OBLIGATIONS.c.id == MESSAGES.c.obligation_id)
        .where(MESSAGES.c.ref == ref, MESSAGES.c.state == MessageState.TO_TELL.value)
        .order_by(MESSAGES.c.id)
    )
    return [(row.id, str(row.facts.get("about", ""))) for row in tx.connection.execute(query)]


def _mark(tx: Tx, number: int, state: MessageState) -> None:
    tx.connection.execute(update(MESSAGES).where(MESSAGES.c.id == number).values(state=state.value))
