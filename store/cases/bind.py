"""Codes that bind a complaint logged by staff to the complainant's chat (4.3).

A code is shown once, stored only as a hash, and can be used once.
"""

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from complaints.actors import Actor, complainant
from complaints.errors import UnknownReference
from complaints.vocabulary import Verb
from store.cases.act import act_on
from store.database.transaction import Tx
from store.outbox.deliveries import move_letters_to_chat
from store.outbox.rows import chat_scope
from store.people.contacts import ContactPoint
from store.people.identifiers import copy_roles
from store.record.access_log import record_refused_attempt
from store.record.load import CaseFile, load_case_file
from store.tables import ATTEMPTS, BINDINGS, COMPLAINTS
from store.values import Code, CodeState

DIGITS = 8
VALID_FOR = timedelta(days=7)
#: A chat may send this many wrong codes, and a code may be refused this often, before it is locked.
MOST_TRIES, TRIES_WITHIN = 5, timedelta(hours=24)
_KIND = "bind_code"


def create_bind_code(
    tx: Tx, ref: str, by: Actor, *, version: int | None = None, key: str | None = None
) -> tuple[str, Any]:
    """Create a code for this complaint; returns it with its expiry time. Earlier codes expire now.

    Raises what the verb raises: AlreadyDone if the complaint has a chat already.
    """
    act_on(tx, load_case_file(tx, ref, lock=True), Verb.BIND, by, {}, {}, version=version, key=key)
    tx.connection.execute(
        update(BINDINGS)
        .where(BINDINGS.c.ref == ref, BINDINGS.c.used_at.is_(None), BINDINGS.c.expires_at > tx.now)
        .values(expires_at=tx.now)
    )
    code = _new_code(tx)
    until = tx.now + VALID_FOR
    tx.add(BINDINGS, ref=ref, code_index=tx.keys.index(_KIND, code), tries=0, expires_at=until, used_at=None)
    return code, until


def _new_code(tx: Tx) -> str:
    while True:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        if _row(tx, code) is None:
            return code


def _row(tx: Tx, code: str) -> Any:
    return tx.connection.execute(
        select(BINDINGS).where(BINDINGS.c.code_index.in_(tx.keys.indexes(_KIND, code)))
    ).first()


class Codes:
    """The codes that one chat sends in one message: check each, then bind the complaint."""

    def __init__(self, tx: Tx, contact: ContactPoint) -> None:
        self._tx, self._contact = tx, contact
        self._rows: dict[str, Any] = {}

    def __call__(self, text: str) -> Code:
        """Check a code. Every miss is recorded; after five within a day this chat is locked."""
        tx, digits = self._tx, "".join(text.split())
        row = _row(tx, digits)
        if self._recent_misses() >= MOST_TRIES:
            self._count_refusal(row)
            return Code(CodeState.LOCKED)
        case = None if row is None else load_case_file(tx, row.ref).case
        while case is not None and case.merged_into is not None:
            # The code of a merged complaint opens the complaint that it was merged into.
            case = load_case_file(tx, case.merged_into).case
        if row is None or case is None or case.erased_at is not None:
            return self._miss(CodeState.UNKNOWN)
        if row.used_at is not None:
            if case.complainant == self._contact.person:
                return Code(CodeState.YOURS, case)
            return self._miss(CodeState.USED)
        if row.tries >= MOST_TRIES:
            # This chat sent few wrong codes: it learns no more than for a code that never existed.
            return self._miss(CodeState.UNKNOWN)
        if row.expires_at <= tx.now:
            return self._miss(CodeState.EXPIRED)
        if case.has_chat:
            # Another code has bound it already.
            return self._miss(CodeState.USED)
        self._rows[case.ref] = row
        return Code(CodeState.FOUND, case)

    def _recent_misses(self) -> int:
        query = select(func.count()).where(
            ATTEMPTS.c.ref == chat_scope(self._contact.id),
            ATTEMPTS.c.verb == Verb.BIND.value,
            ATTEMPTS.c.at > self._tx.now - TRIES_WITHIN,
        )
        return int(self._tx.connection.execute(query).scalar_one())

    def _miss(self, state: CodeState) -> Code:
        by = complainant(self._contact.person)
        record_refused_attempt(
            self._tx, chat_scope(self._contact.id), Verb.BIND.value, by, f"code.{state.value}"
        )
        return Code(state)

    def _count_refusal(self, row: Any) -> None:
        """Count a code sent by a locked chat: it may be a guess, and five refusals lock the code too."""
        if row is not None:
            self._tx.connection.execute(
                update(BINDINGS)
                .where(BINDINGS.c.ref == row.ref, BINDINGS.c.code_index == row.code_index)
                .values(tries=BINDINGS.c.tries + 1)
            )

    def redeem(self, ref: str) -> CaseFile:
        """Give the complaint to the person of this chat; all letters go there from now on."""
        tx, contact, row = self._tx, self._contact, self._rows.get(ref)
        if row is None:
            raise UnknownReference.worded("unknown_reference:code", ref=ref)
        file = replace(load_case_file(tx, ref, lock=True), contact_id=contact.id)
        # The code was given to the complainant on file, who hands the complaint over by using it.
        by = complainant(file.case.complainant)
        _, after = act_on(tx, file, Verb.BIND, by, {"person": contact.person}, {})
        tx.connection.execute(
            update(COMPLAINTS)
            .where(COMPLAINTS.c.ref == ref)
            .values(complainant_id=contact.person, contact_id=contact.id)
        )
        copy_roles(tx, ref, contact.person, as_well_as=by.id)
        tx.connection.execute(
            update(BINDINGS)
            .where(BINDINGS.c.ref == row.ref, BINDINGS.c.code_index == row.code_index)
            .values(used_at=tx.now)
        )
        move_letters_to_chat(tx, after)
        return after
