"""Where complaints stand in Slack, what was typed and previewed there, and which payloads were taken.

Cards whose drawing was given up: drawn again by themselves until they show the record.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.timestamps import format_time
from store.cases.load import case_key
from store.database.transaction import Tx
from store.outbox import rows as outbox_rows
from store.outbox.complete import IS_OPEN, IS_STUCK, THREAD
from store.proof.seal import place, seal, unseal
from store.tables import COMPLAINTS, DRAFTS, HEARD, OBLIGATIONS, SLACK
from store.values import Draft, SlackPost

DRAFT_KEPT = timedelta(hours=24)


def list_posts(tx: Tx, ref: str) -> list[SlackPost]:
    """Where the complaint stands now: posts claimed or made and not deleted."""
    query = select(SLACK).where(SLACK.c.ref == ref, SLACK.c.deleted_at.is_(None)).order_by(SLACK.c.id)
    return [_post(row) for row in tx.connection.execute(query)]


def claim_post(tx: Tx, ref: str, channel: str, purpose: str) -> SlackPost:
    """The row of a post, written before the post is made; a second claim gives the same row."""
    new = tx.take(
        SLACK,
        {
            "ref": ref,
            "channel": channel,
            "purpose": purpose,
            "ts": None,
            "shown": 0,
            "draws": 0,
            "claimed_at": tx.now,
            "deleted_at": None,
        },
    )
    here = (SLACK.c.ref == ref, SLACK.c.channel == channel, SLACK.c.purpose == purpose)
    if not new:
        # It was deleted when the complaint moved to another place, and has come back.
        again = update(SLACK).where(*here, SLACK.c.deleted_at.is_not(None))
        back = again.values(ts=None, shown=0, draws=0, deleted_at=None, claimed_at=tx.now)
        new = tx.connection.execute(back).rowcount == 1
    return replace(_post(tx.connection.execute(select(SLACK).where(*here)).one()), mine=new)


def take_over_post(tx: Tx, post: SlackPost) -> bool:
    """Whoever claimed this post did not make it; True for the one process that makes it instead."""
    one = SLACK.c
    here = (one.ref == post.ref, one.channel == post.channel, one.purpose == post.purpose)
    left = update(SLACK).where(*here, one.ts.is_(None), one.claimed_at == post.claimed_at)
    return tx.connection.execute(left.values(claimed_at=tx.now)).rowcount == 1


def record_posted(
    tx: Tx, ref: str, purpose: str, ts: str, shown: int, draw: int, *, channel: str | None = None
) -> None:
    """The post stands at `ts` and shows this version; an older drawing never hides a newer one.

    The lines that waited for the first one come under it in their order.
    """
    statement = update(SLACK).where(
        SLACK.c.ref == ref, SLACK.c.purpose == purpose, SLACK.c.deleted_at.is_(None), SLACK.c.shown <= shown
    )
    if channel is not None:
        statement = statement.where(SLACK.c.channel == channel)
    tx.connection.execute(statement.values(ts=ts, shown=shown, draws=draw))
    if draw == 1:
        _let_lines_go(tx, ref)


def _let_lines_go(tx: Tx, ref: str) -> None:
    """Due when they were owed, whatever they waited for: so the first of them is the oldest again."""
    one = OBLIGATIONS.c
    waiting = update(OBLIGATIONS).where(one.scope == ref, IS_OPEN, one.kind == THREAD, one.due > tx.now)
    if tx.connection.execute(waiting.values(due=one.created_at)).rowcount:
        tx.owing = True


def record_post_deleted(tx: Tx, ref: str, purpose: str, *, channel: str | None = None) -> None:
    """The post was taken away, for the complaint is shown elsewhere."""
    statement = update(SLACK).where(
        SLACK.c.ref == ref, SLACK.c.purpose == purpose, SLACK.c.deleted_at.is_(None)
    )
    if channel is not None:
        statement = statement.where(SLACK.c.channel == channel)
    tx.connection.execute(statement.values(deleted_at=tx.now))


def find_post(tx: Tx, channel: str, ts: str) -> str | None:
    """Which complaint's post this is."""
    found: str | None = tx.connection.execute(
        select(SLACK.c.ref).where(SLACK.c.channel == channel, SLACK.c.ts == ts)
    ).scalar()
    return found


def _post(row: Any) -> SlackPost:
    return SlackPost(row.ref, row.channel, row.purpose, row.ts, row.shown, row.draws, row.claimed_at)


def record_slack_key(tx: Tx, key: str) -> bool:
    """True when an event or envelope with this key was taken before; it is taken from now on."""
    return not tx.take(HEARD, {"key": f"slack:{key}", "at": tx.now})


def is_slack_key_known(tx: Tx, keys: Collection[str]) -> set[str]:
    """Which of these were taken before; asking takes none."""
    named = {f"slack:{key}": key for key in keys}
    found = tx.connection.execute(select(HEARD.c.key).where(HEARD.c.key.in_(sorted(named)))).scalars()
    return {named[one] for one in found}


def save_draft(
    tx: Tx,
    ref: str,
    by: str,
    form: str,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    letter: str,
    work_version: int,
) -> str:
    """Keep what was typed while its letter is previewed; returns an unguessable id, good for 24 hours."""
    number = secrets.token_urlsafe(16)
    tx.connection.execute(delete(DRAFTS).where(DRAFTS.c.expires_at <= tx.now))
    typed = json.dumps({"facts": dict(facts), "words": dict(words), "letter": letter}, ensure_ascii=False)
    tx.add(
        DRAFTS,
        id=number,
        ref=ref,
        by=by,
        form=form,
        work_version=work_version,
        sealed=seal(_key(tx, ref), typed, place("drafts", number, "typed")),
        at=tx.now,
        expires_at=tx.now + DRAFT_KEPT,
    )
    return number


def read_draft(tx: Tx, number: str) -> Draft | None:
    """The draft, or None after 24 hours."""
    row = tx.connection.execute(
        select(DRAFTS).where(DRAFTS.c.id == number, DRAFTS.c.expires_at > tx.now)
    ).first()
    if row is None:
        return None
    typed = json.loads(unseal(_key(tx, row.ref), row.sealed, place("drafts", number, "typed")))
    return Draft(
        id=number,
        ref=row.ref,
        by=row.by,
        form=row.form,
        facts=typed["facts"],
        words=typed["words"],
        letter=typed["letter"],
        work_version=row.work_version,
    )


def drop_draft(tx: Tx, number: str) -> None:
    """The act was done or left."""
    tx.connection.execute(delete(DRAFTS).where(DRAFTS.c.id == number))


def _key(tx: Tx, ref: str) -> bytes:
    wrapped = tx.connection.execute(
        select(COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.ref == ref)
    ).scalar_one()
    return case_key(tx, ref, wrapped)


#: So many at one look, so that an outage of a day is mended in handfuls that the pace can carry.
AT_A_LOOK = 200


def sweep_cards(tx: Tx, most: int = AT_A_LOOK) -> int:
    """Owe the drawing of complaints whose card was given up and is behind the record; how many.

    Each is owed four times a day at most, and as one of the last, for what happens now goes first. The old failure is
    settled by it, or because the card shows the record by now: nobody need look at it.
    """
    one = OBLIGATIONS.c
    given_up = (
        select(one.id, one.ref)
        .where(IS_STUCK, one.state == "failed", one.kind == "card")
        .order_by(one.due, one.id)
        .limit(most)
        .subquery()
    )
    query = select(given_up.c.id, given_up.c.ref, COMPLAINTS.c.version, _is_behind().label("behind"))
    rows = tx.connection.execute(query.join(COMPLAINTS, COMPLAINTS.c.ref == given_up.c.ref)).all()
    since = tx.now.replace(hour=tx.now.hour // 6 * 6, minute=0, second=0, microsecond=0)
    owed, well = set[str](), [row.id for row in rows if not row.behind]
    for row in (row for row in rows if row.behind):
        # The record does not ask for it anew: `once` says that it stands by itself.
        facts = {"ref": row.ref, "once": True}
        again = NewObligation(
            f"card:swept:{row.version}:{format_time(since)}", "card", tx.now, SendPriority.BULK, facts
        )
        if row.ref in owed or outbox_rows.insert_obligation(tx, again, row.ref):
            owed.add(row.ref)
            well.append(row.id)
    if well:
        done = update(OBLIGATIONS).where(one.id.in_(well))
        tx.connection.execute(done.values(state="done", ended_at=tx.now, payload=None))
    return len(owed)


def _is_behind() -> ColumnElement[bool]:
    """No post at all, or one that does not show the record as it stands."""
    here = and_(SLACK.c.ref == COMPLAINTS.c.ref, SLACK.c.deleted_at.is_(None))
    behind = exists().where(here, or_(SLACK.c.ts.is_(None), SLACK.c.shown < COMPLAINTS.c.version))
    return or_(behind, ~exists().where(here))
