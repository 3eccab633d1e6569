"""Files that staff attach to a letter: kept with the complaint, and sent after the letter (7.8)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import func, select

from complaints.actors import Actor
from complaints.event_facts import ATTACHMENTS
from complaints.forms import Attachment
from complaints.vocabulary import Verb
from store.cases.act import act, act_on
from store.database.transaction import Tx
from store.files import ATTACHED, list_files, load_bytes, record_received_files
from store.record.load import load_case_file
from store.tables import FILES
from store.values import ReceivedFile, RecordedAct


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
        ReceivedFile(attached.id, attached.id, ATTACHED, "slack", size=attached.size, name=attached.name)
        for attached in attachments
    ]
    record_received_files(tx, after, recorded.event.seq, files)
    return recorded


def attachments_state(tx: Tx, ref: str, numbers: Sequence[int]) -> Literal["ready", "waiting", "failed"]:
    """Whether all these files are in the store; `failed` if one cannot be sent."""
    query = select(FILES.c.state).where(FILES.c.ref == ref, FILES.c.n.in_(numbers))
    states = set(tx.connection.execute(query).scalars())
    return "ready" if states == {"fetched"} else "waiting" if states <= {"fetched", "announced"} else "failed"


def load_attachment(tx: Tx, ref: str, number: int) -> tuple[str, bytes]:
    """The name that the sender gave the file, and its bytes."""
    file = load_case_file(tx, ref)
    name = next(entry.name for entry in list_files(tx, file) if entry.seq == number)
    return name or f"{ref}-{number}", load_bytes(tx, file, number)
