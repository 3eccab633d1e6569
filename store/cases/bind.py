"""Codes that bind a complaint logged by staff to the complainant's chat (4.3).

A code is shown once, stored only as a hash, and can be used once.
"""

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from complaints.actors import Actor, complainant
from complaints.vocabulary import Verb
from store.cases.act import act_on
from store.database.transaction import Tx
from store.outbox.deliveries import move_letters_to_chat
from store.outbox.rows import chat_scope
from store.people.contacts import ContactPoint
from store.people.identification import copy_roles
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
    running = BINDINGS.c.ref == ref, BINDINGS.c.used_at.is_(None), BINDINGS.c.expires_at > tx.now
    tx.update(BINDINGS, *running, expires_at=tx.now)
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
    return tx.connection.execute(select(BINDINGS).where(_is_code(tx, code))).first()


def _is_code(tx: Tx, code: str) -> ColumnElement[bool]:
    return BINDINGS.c.code_index.in_(tx.keys.indexes(_KIND, "".join(code.split())))


def check_code(tx: Tx, contact: ContactPoint, code: str) -> Code:
    """What this code opens from this chat; nothing after five misses within a day."""
    row = _row(tx, code)
    if _recent_misses(tx, contact) >= MOST_TRIES:
        return Code(CodeState.LOCKED)
    case = None if row is None else load_case_file(tx, row.ref).case
    while case is not None and case.merged_into is not None:
        # The code of a merged complaint opens the complaint that it was merged into.
        case = load_case_file(tx, case.merged_into).case
    if row is None or case is None or case.erased_at is not None:
        return Code(CodeState.UNKNOWN)
    if row.used_at is not None:
        is_own = case.complainant == contact.person
        return Code(CodeState.YOURS, case) if is_own else Code(CodeState.USED)
    if row.tries >= MOST_TRIES:
        # This chat sent few wrong codes: it learns no more than for a code that never existed.
        return Code(CodeState.UNKNOWN)
    if row.expires_at <= tx.now:
        return Code(CodeState.EXPIRED)
    # A complaint with a chat was bound by another code.
    return Code(CodeState.USED) if case.has_chat else Code(CodeState.FOUND, case)


def use_code(tx: Tx, contact: ContactPoint, code: str) -> CaseFile | None:
    """Give the complaint that the code opens to the person of this chat; all letters go there from now on.

    A code that opens none is recorded as a miss. Of a locked chat it may be a guess: five refusals lock the code too.
    """
    checked = check_code(tx, contact, code)
    if checked.state is CodeState.LOCKED:
        _change_binding(tx, code, tries=BINDINGS.c.tries + 1)
    elif checked.case is None:
        by, refusal = complainant(contact.person), f"code.{checked.state.value}"
        record_refused_attempt(tx, chat_scope(contact.id), Verb.BIND.value, by, refusal)
    elif checked.state is CodeState.FOUND:
        return _redeem(tx, contact, code, checked.case.ref)
    return None


def _recent_misses(tx: Tx, contact: ContactPoint) -> int:
    query = select(func.count()).where(
        ATTEMPTS.c.ref == chat_scope(contact.id),
        ATTEMPTS.c.verb == Verb.BIND.value,
        ATTEMPTS.c.at > tx.now - TRIES_WITHIN,
    )
    return int(tx.connection.execute(query).scalar_one())


def _redeem(tx: Tx, contact: ContactPoint, code: str, ref: str) -> CaseFile:
    file = replace(load_case_file(tx, ref, lock=True), contact_id=contact.id)
    # The code was given to the complainant on file, who hands the complaint over by using it.
    by = complainant(file.case.complainant)
    _, after = act_on(tx, file, Verb.BIND, by, {"person": contact.person}, {})
    tx.update_by(COMPLAINTS, {"ref": ref}, complainant_id=contact.person, contact_id=contact.id)
    copy_roles(tx, ref, contact.person, as_well_as=by.id)
    _change_binding(tx, code, used_at=tx.now)
    move_letters_to_chat(tx, after)
    return after


def _change_binding(tx: Tx, code: str, **values: Any) -> None:
    tx.update(BINDINGS, _is_code(tx, code), **values)
