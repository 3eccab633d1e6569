"""Sends each checkpoint of the log to places outside of the database: witnesses, a file, a command, a Slack channel.

A place that fails does not keep the checkpoint from the others, and gets the next one.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog

from amends.log_head import OlderDatabase, advance_head, head_file
from amends.runtime.programs import NoResult, post, run_command
from amends.settings import Settings
from amends.settings.sections import WitnessSettings
from amends.witness import write_durably
from bots.loopback import is_loopback
from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.errors import StoreError
from store.outbox.rows import insert_obligation
from store.proof.log import (
    SavedCheckpoint,
    add_cosignature,
    last_cosigned,
    latest_checkpoint,
    prove_consistency,
)
from store.proof.notes import cosigned_at, parse_verifier, split_note
from store.store import Store

#: In seconds, for one place. The next checkpoint follows in ten minutes.
COMMAND_TIMEOUT_SECONDS, WITNESS_TIMEOUT_SECONDS = 30.0, 20.0
#: The answer of a witness is a few lines.
MAX_ANSWER_BYTES = 64 * 1024

#: Called with the place and the outcome: ok, failed, refused or inconsistent.
OnSent = Callable[[str, str], None]

log = structlog.get_logger(__name__)


class _Refused(Exception):
    """The place answered that it does not accept the checkpoint."""


class _Inconsistent(_Refused):
    """The witness has cosigned something that our log does not continue."""


@dataclass(frozen=True)
class CheckpointSender:
    """Sends checkpoints to the places of `[proof]`."""

    settings: Settings
    store: Store
    on_sent: OnSent

    async def send(self) -> None:
        """Send the newest checkpoint: first to the witnesses, so that the other places get their cosignatures."""
        proof = self.settings.proof
        keeping = self.store.in_reader_thread(advance_head, self.store, head_file(self.settings))
        await self._try("log_head", keeping)
        newest = await self.store.aread(latest_checkpoint)
        if newest is None:
            return
        cosigning = (
            self._try(f"witness:{witness.name}", self._cosign(newest, witness)) for witness in proof.witnesses
        )
        await asyncio.gather(*cosigning)
        newest = await self.store.aread(latest_checkpoint) or newest
        if proof.file is not None:
            file = self.settings.file.parent / proof.file
            await self._try("file", asyncio.to_thread(save_note, file, newest.note))
        if proof.command:
            await self._try("command", self._run(newest.note))
        if proof.slack_channel is not None:
            key = f"checkpoint_post:{self.store.now():%Y-%m-%dT%H}"
            await self._schedule(key, "checkpoint_post", SendPriority.BULK, {})

    async def _try(self, place: str, sending: Awaitable[None]) -> None:
        outcome, why = "ok", ""
        try:
            await sending
        except (_Inconsistent, OlderDatabase) as refused:
            outcome, why = "inconsistent", str(refused).partition("\n")[0]
            log.error("log_inconsistent", place=place, why=why, remedy="docs/proof.md")
            # To the managers, once a day for each witness; the desk's own file is one of them.
            name = place.rpartition(":")[2]
            key, facts = (
                f"told_failed:witness:{name}:{self.store.now():%Y-%m-%d}",
                {"kind": "witness", "witness": name},
            )
            await self._schedule(key, "told_failed", SendPriority.NOTICE, facts)
        except (_Refused, NoResult) as refused:
            outcome, why = "refused", str(refused)
        except (OSError, TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, StoreError) as error:
            outcome, why = "failed", type(error).__name__
        if why:
            log.warning("checkpoint_not_sent", place=place, outcome=outcome, why=why)
        self.on_sent(place, outcome)

    async def _cosign(self, newest: SavedCheckpoint, witness: WitnessSettings) -> None:
        """Ask for a cosignature and keep it. Raises _Inconsistent if the witness knows another log."""
        if self.settings.secrets.signing_key is None:
            raise _Refused("AMENDS_SIGNING_KEY is missing")
        old = min(await self.store.aread(last_cosigned, witness.name), newest.size)
        status, text = await self._ask(newest, witness, old)
        if status == 409 and text.strip().isdecimal():
            cosigned_size = int(text)
            if cosigned_size > newest.size:
                # Another process may have sent a newer checkpoint in the meantime.
                latest = await self.store.aread(latest_checkpoint)
                if latest is not None and cosigned_size <= latest.size:
                    return
                raise _Inconsistent(f"the witness knows a log of {cosigned_size}, ours has {newest.size}")
            if cosigned_size == old:
                raise _Inconsistent(f"the witness knows another log of {cosigned_size}")
            old = cosigned_size
            status, text = await self._ask(newest, witness, old)
        if status == 422 or (status == 409 and text.strip() == str(old)):
            raise _Inconsistent(f"our log does not continue what the witness cosigned at {old}")
        if status != 200:
            reasons = {403: "it does not know our key", 404: "it does not watch our log"}
            raise _Refused(f"{reasons.get(status, 'no cosignature')} (HTTP {status})")
        body, _ = split_note(newest.note)
        verifier = parse_verifier(witness.key, is_witness=True)
        for line in text.splitlines():
            if line.startswith("\u2014 ") and cosigned_at(f"{body}\n{line}\n", verifier) is not None:
                await self.store.awrite(add_cosignature, newest.size, witness.name, line)
                return
        raise _Refused("its cosignature is not by the key of [[proof.witnesses]]")

    async def _ask(self, newest: SavedCheckpoint, witness: WitnessSettings, old: int) -> tuple[int, str]:
        """The status and the text of the witness's answer."""
        proof = await self.store.aread(prove_consistency, old, newest.size)
        lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof), "", newest.note]
        url, body = f"{witness.url.rstrip('/')}/add-checkpoint", "\n".join(lines).encode()
        status, answer = await post(url, WITNESS_TIMEOUT_SECONDS, MAX_ANSWER_BYTES, content=body)
        return status, answer.decode()

    async def _run(self, note: str) -> None:
        words, folder = self.settings.proof.command, self.settings.file.absolute().parent
        if code := await run_command(words, note.encode(), COMMAND_TIMEOUT_SECONDS, folder=folder):
            raise _Refused(f"exit code {code}")

    async def _schedule(self, key: str, kind: str, priority: SendPriority, facts: Mapping[str, str]) -> None:
        obligation = NewObligation(key, kind, self.store.now(), priority, facts)
        await self.store.awrite(insert_obligation, obligation)


def ask_witnesses(witnesses: Sequence[WitnessSettings], origin: str) -> tuple[list[str], list[str]]:
    """The newest note of this log that each witness cosigned, and the names of those that do not answer."""
    notes, silent = [], []
    for witness in witnesses:
        url = f"{witness.url.rstrip('/')}/checkpoint"
        try:
            with httpx.Client(trust_env=not is_loopback(url), timeout=WITNESS_TIMEOUT_SECONDS) as client:
                answer = client.get(url, params={"origin": origin})
        except (httpx.HTTPError, httpx.InvalidURL):
            silent.append(witness.name)
            continue
        if answer.status_code == 200 and len(answer.content) <= MAX_ANSWER_BYTES:
            notes.append(answer.text)
        else:
            silent.append(witness.name)
    return notes, silent


def save_note(file: Path, note: str) -> None:
    """Append the note to the history next to `file` unless it is the newest there; then replace `file` by it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if note != before:
        with file.with_name(f"{file.name}.history").open("a", encoding="utf-8") as history:
            history.write(f"{note}\n")
        write_durably(file, note)
