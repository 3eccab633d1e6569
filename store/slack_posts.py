"""Posts of complaints in Slack, drafts of previewed forms, keys of received payloads, and who an alert reached."""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select

from complaints.case import Case
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import format_time
from store.database.keyring import place, seal, unseal
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.outbox import rows as outbox_rows
from store.outbox.complete import IS_OPEN, IS_STUCK, THREAD
from store.proof.received_keys import find_keys, forget_key, list_keys, take_key
from store.record.load import load_case_file, load_case_key
from store.tables import COMPLAINTS, DRAFTS, OBLIGATIONS, SLACK
from store.tables.complaints import OPEN
from store.values import Draft, SlackPost

#: The purpose of a direct message starts with this, and ends with its ts.
DIRECT = "dm:"
DRAFT_KEPT = timedelta(hours=24)
#: Begins the key of what a workspace answered to a kind of block. After this time it is tried again.
BLOCK_ANSWERS, BLOCK_ANSWERS_KEPT = "blocks:", timedelta(days=30)
#: Each drawing of a card shows the newest record, so one drawing fulfils all obligations of these kinds that wait.
DRAWINGS = ("card", "redraw")

_POSTS = Prepared(
    select(SLACK)
    .where(SLACK.c.ref == bindparam("post_ref", type_=SLACK.c.ref.type), SLACK.c.deleted_at.is_(None))
    .order_by(SLACK.c.id)
)

#: Cards redrawn in one sweep: after an outage of a day, more would exceed Slack's rate limit.
CARDS_PER_SWEEP = 200


def list_posts(tx: Tx, ref: str, *, direct: bool = False) -> list[SlackPost]:
    """The complaint's posts that are claimed or posted, and not deleted; with `direct` its direct messages."""
    posts = (_post(row) for row in _POSTS.rows(tx.connection, post_ref=ref))
    return [post for post in posts if post.purpose.startswith(DIRECT) is direct]


def load_case_and_posts(tx: Tx, ref: str) -> tuple[Case, list[SlackPost]]:
    """A complaint and its posts, without direct messages; raises UnknownReference."""
    return load_case_file(tx, ref).case, list_posts(tx, ref)


def redraw_cards_of_owners(tx: Tx, owners: Collection[str]) -> None:
    """Draw the open complaints of these people again: whether they may own complaints has changed (4.9)."""
    refs = select(COMPLAINTS.c.ref).where(OPEN, COMPLAINTS.c.owner.in_(owners))
    for ref in tx.connection.execute(refs).scalars().all():
        outbox_rows.insert_redraw(tx, ref, f"owners:{format_time(tx.now)}")


def record_direct_message(tx: Tx, ref: str, channel: str, ts: str) -> None:
    """Record where a direct message about a complaint is, so that an erasure can delete it."""
    row = {"ref": ref, "channel": channel, "purpose": f"{DIRECT}{ts}", "ts": ts, "claimed_at": tx.now}
    tx.insert_missing(SLACK, [{**row, "shown": 0, "draws": 0, "deleted_at": None}])


def claim_post(tx: Tx, ref: str, channel: str, purpose: str) -> SlackPost:
    """Write the row of a post before posting; a second claim returns the same row, with `mine` False."""
    row = {"ref": ref, "channel": channel, "purpose": purpose, "ts": None, "claimed_at": tx.now}
    new = tx.take(SLACK, {**row, "shown": 0, "draws": 0, "deleted_at": None})
    is_post = (SLACK.c.ref == ref, SLACK.c.channel == channel, SLACK.c.purpose == purpose)
    if not new:
        # The post was deleted when the complaint moved to another channel; now it has moved back.
        restored = {"ts": None, "shown": 0, "draws": 0, "deleted_at": None, "claimed_at": tx.now}
        new = tx.update(SLACK, *is_post, SLACK.c.deleted_at.is_not(None), **restored) == 1
    return replace(_post(tx.connection.execute(select(SLACK).where(*is_post)).one()), is_new=new)


def take_over_post(tx: Tx, post: SlackPost) -> bool:
    """Claim a post that its first claimant never made; True for the one process that gets it."""
    columns = SLACK.c
    is_post = (columns.ref == post.ref, columns.channel == post.channel, columns.purpose == post.purpose)
    unposted = (*is_post, columns.ts.is_(None), columns.claimed_at == post.claimed_at)
    return tx.update(SLACK, *unposted, claimed_at=tx.now) == 1


def record_posted(tx: Tx, ref: str, purpose: str, ts: str, shown: int, draw: int) -> bool:
    """Record that the post is at `ts` and shows this version; an older draw never replaces a newer one.

    After the first draw, the thread lines that waited for it become due. False if another process has recorded a
    newer version since, so that this drawing may have replaced a newer one in Slack.
    """
    not_newer = (
        SLACK.c.ref == ref, SLACK.c.purpose == purpose, SLACK.c.deleted_at.is_(None), SLACK.c.shown <= shown
    )  # fmt: skip
    is_newest = tx.update(SLACK, *not_newer, ts=ts, shown=shown, draws=draw) > 0
    if draw == 1:
        _release_thread_lines(tx, ref)
    return is_newest


def list_waiting_drawings(tx: Tx, ref: str) -> dict[int, str]:
    """The kinds of the open obligations that are due and that one drawing of this card fulfils, by their id."""
    columns = OBLIGATIONS.c
    query = select(columns.id, columns.kind).where(
        columns.scope == ref, IS_OPEN, columns.kind.in_(DRAWINGS), columns.due <= tx.now
    )
    return {row.id: row.kind for row in tx.connection.execute(query)}


def complete_drawings(tx: Tx, ids: Collection[int]) -> None:
    """Complete these obligations without a call: the card was drawn after they were listed."""
    columns = OBLIGATIONS.c
    done = {"state": "done", "ended_at": tx.now, "payload": None, "why": None}
    tx.update(OBLIGATIONS, columns.id.in_(ids), IS_OPEN, **done)


def record_post_deleted(tx: Tx, ref: str, purpose: str) -> None:
    """Record that the post was deleted, because the complaint is shown in another channel."""
    is_post = SLACK.c.ref == ref, SLACK.c.purpose == purpose, SLACK.c.deleted_at.is_(None)
    tx.update(SLACK, *is_post, deleted_at=tx.now)


def sweep_cards(tx: Tx, most: int = CARDS_PER_SWEEP) -> int:
    """Schedule a redraw of cards that failed and do not show the present record; returns how many.

    Each card is retried at most four times a day, with the lowest priority. The failed obligation is completed
    when the retry is scheduled or the card is up to date, so that no person has to handle it.
    """
    columns = OBLIGATIONS.c
    failed = (
        select(columns.id, columns.ref)
        .where(IS_STUCK, columns.state == "failed", columns.kind == "card")
        .order_by(columns.due, columns.id)
        .limit(most)
        .subquery()
    )
    query = select(failed.c.id, failed.c.ref, COMPLAINTS.c.version, _is_outdated().label("outdated"))
    rows = tx.connection.execute(query.join(COMPLAINTS, COMPLAINTS.c.ref == failed.c.ref)).all()
    since = tx.now.replace(hour=tx.now.hour // 6 * 6, minute=0, second=0, microsecond=0)
    scheduled, completed = set[str](), [row.id for row in rows if not row.outdated]
    for row in (row for row in rows if row.outdated):
        # `once`: this obligation follows from no event, so the record cannot say whether it is still required.
        facts = {"ref": row.ref, "once": True}
        retry = NewObligation(
            f"card:swept:{row.version}:{format_time(since)}", "card", tx.now, SendPriority.BULK, facts
        )
        if row.ref in scheduled or outbox_rows.insert_obligation(tx, retry, row.ref):
            scheduled.add(row.ref)
            completed.append(row.id)
    if completed:
        tx.update(OBLIGATIONS, columns.id.in_(completed), state="done", ended_at=tx.now, payload=None)
    return len(scheduled)


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
    """Keep a filled form for 24 hours while its letter is previewed; returns an unguessable id."""
    content = {"facts": dict(facts), "words": dict(words), "letter": letter}
    return keep_draft(tx, ref, by, form, work_version, content)


def keep_draft(
    tx: Tx, ref: str | None, by: str, form: str, work_version: int, content: Mapping[str, Any]
) -> str:
    """Keep what was typed into a form, sealed with the complaint's key, or with the instance's without one."""
    number = secrets.token_urlsafe(16)
    tx.delete(DRAFTS, DRAFTS.c.expires_at <= tx.now)
    text, aad = json.dumps(content, ensure_ascii=False), place("drafts", number, "typed")
    tx.add(
        DRAFTS,
        id=number,
        ref=ref,
        by=by,
        form=form,
        work_version=work_version,
        sealed=tx.keys.seal(text.encode(), aad) if ref is None else seal(load_case_key(tx, ref), text, aad),
        at=tx.now,
        expires_at=tx.now + DRAFT_KEPT,
    )
    return number


def read_draft(tx: Tx, number: str) -> Draft | None:
    """The draft of a form about one complaint; None after 24 hours."""
    row, typed = read_typed(tx, number)
    if row is None:
        return None
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


def read_typed(tx: Tx, number: str) -> tuple[Any, dict[str, Any]]:
    """The row of a draft and what was typed, as `keep_draft` got it; no row after 24 hours."""
    query = select(DRAFTS).where(DRAFTS.c.id == number, DRAFTS.c.expires_at > tx.now)
    row = tx.connection.execute(query).first()
    if row is None:
        return None, {}
    aad = place("drafts", number, "typed")
    if row.ref is None:
        return row, json.loads(tx.keys.unseal(row.sealed, aad))
    return row, json.loads(unseal(load_case_key(tx, row.ref), row.sealed, aad))


def drop_draft(tx: Tx, number: str) -> None:
    """Delete a draft after its act was done or cancelled."""
    tx.delete(DRAFTS, DRAFTS.c.id == number)


def record_slack_key(tx: Tx, key: str) -> bool:
    """Record the key of an event or envelope; True if it was recorded before."""
    return not take_key(tx, f"slack:{key}")


def forget_slack_key(tx: Tx, key: str) -> None:
    """Delete a recorded key, because what it records did not happen."""
    forget_key(tx, f"slack:{key}")


def list_slack_keys(tx: Tx, prefix: str) -> list[str]:
    """The recorded keys that start with this text, in their order; it ends with a colon."""
    return [key.removeprefix("slack:") for key in list_keys(tx, f"slack:{prefix}")]


def find_conversation(tx: Tx, thread: str) -> str | None:
    """The complaint of the conversation in this thread (`channel:ts`); None for any other thread."""
    return next((key.rpartition(":")[2] for key in list_slack_keys(tx, f"talk:{thread}:")), None)


def find_known_slack_keys(tx: Tx, keys: Collection[str]) -> set[str]:
    """The keys among these that were recorded before; records none."""
    return {key.removeprefix("slack:") for key in find_keys(tx, (f"slack:{key}" for key in keys))}


def _release_thread_lines(tx: Tx, ref: str) -> None:
    """Set `due` back to the creation time, so that the oldest line is claimed first."""
    columns = OBLIGATIONS.c
    waiting = columns.scope == ref, IS_OPEN, columns.kind == THREAD, columns.due > tx.now
    if tx.update_each(OBLIGATIONS, waiting, lambda row: {"due": row.created_at}):
        tx.obligations_changed = True


def _post(row: Any) -> SlackPost:
    return SlackPost(row.ref, row.channel, row.purpose, row.ts, row.shown, row.draws, row.claimed_at)


def _is_outdated() -> ColumnElement[bool]:
    """The complaint has no post, or one that does not show the present record. A direct message shows no version."""
    is_card = ~SLACK.c.purpose.startswith(DIRECT)
    is_post = and_(SLACK.c.ref == COMPLAINTS.c.ref, SLACK.c.deleted_at.is_(None), is_card)
    outdated = exists().where(is_post, or_(SLACK.c.ts.is_(None), SLACK.c.shown < COMPLAINTS.c.version))
    return or_(outdated, ~exists().where(is_post))


_FAILED = "alert_failed:"


def alert_prefix(case: Case) -> str:
    """Begins the keys of the alerts of the present danger; after it come the round and the member."""
    return f"alerted:{case.ref}/{case.alarm.at.timestamp() if case.alarm else 0:.0f}:"


def record_alert(tx: Tx, round_prefix: str, ref: str, member_id: str, *, reached: bool) -> None:
    """Record the result for one person; who is reached again has no failures left, of any complaint."""
    if not reached:
        record_slack_key(tx, f"{_FAILED}{member_id}:{ref}")
        return
    record_slack_key(tx, f"{round_prefix}{member_id}")
    for key in list_slack_keys(tx, f"{_FAILED}{member_id}:"):
        forget_slack_key(tx, key)


def page_now(tx: Tx, ref: str) -> None:
    """Make the page due, so that those who were alerted in place of others get the message in Slack too."""
    page = OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "page", IS_OPEN
    tx.update(OBLIGATIONS, *page, due=tx.now)
    tx.obligations_changed = True


def list_alerted(tx: Tx, prefix: str) -> set[str]:
    """The people who were reached, in a round or in all rounds of a danger."""
    return {key.rpartition(":")[2] for key in list_slack_keys(tx, prefix)}


def list_unreached(tx: Tx, ref: str | None = None) -> list[str]:
    """The people whose last alert failed, of this complaint or of any in the last week."""
    keys = (key.split(":") for key in list_slack_keys(tx, _FAILED))
    return sorted({member_id for _, member_id, about in keys if ref in (None, about)})
