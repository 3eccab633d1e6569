"""No parser at the edge crashes: it reads, or refuses with the error that its caller expects.

`python -m tests.fuzzing` counts more inputs; `TESTING=long` feeds 1,500 of each.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.routing import Route

from bots.slack.app import build_app
from bots.slack.client import connection
from bots.slack.client.client import make_client
from bots.slack.context import SlackContext, StaffChannels
from bots.telegram import intake
from bots.telegram.webhook import HEADER, create_endpoint
from simulator import Simulator
from simulator.slack.socket import signature
from store.database.errors import SealBroken
from store.rulebooks import use_rulebook
from store.slack_posts import read_draft, save_draft
from store.store import Store
from store.tables import DRAFTS
from tests.databases import LONG
from tests.edges.desk import Desk
from tests.edges.slack_office import EXECUTIVE, RESTRICTED, TRIAGE, letter, read_out_text
from tests.edges.telegram_desk import telegram_desk
from tests.fuzzing import (
    PAYLOADS,
    UPDATES,
    changed_bytes,
    changed_values,
    parsers,
    run,
    whole_backup,
    whole_model,
)
from tests.rules.slack_cases import RULES, voice

INPUTS = 1_500 if LONG else 60
SECRET, SIGNING = "a-webhook-secret", "sign"
often = settings(max_examples=INPUTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
NAMES = tuple(parsers(b"", b""))


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    return whole_model(), whole_backup(tmp_path_factory.mktemp("fuzzing"))


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_reads_or_refuses(name: str, whole_files: tuple[bytes, bytes]) -> None:
    counts = Counter[str]()
    run(parsers(*whole_files)[name], INPUTS, counts)
    assert counts["inputs"] >= min(INPUTS, 60)
    assert counts["crashes"] == 0


@asynccontextmanager
async def caller(path: str, endpoint: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the endpoint, without a server between."""
    transport = httpx.ASGITransport(app=Starlette(routes=[Route(path, endpoint, methods=["POST"])]))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


@pytest.fixture
async def telegram(usual_store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(intake, "ATTEMPT_PAUSES", (0.0, 0.0, 0.0))
    async with (
        Simulator() as sim,
        telegram_desk(sim, usual_store, polls=False) as desk,
        caller("/telegram", create_endpoint(desk.intake, SECRET)) as client,
    ):
        yield client


@pytest.fixture
async def slack(usual_store: Store) -> AsyncIterator[httpx.AsyncClient]:
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        channels = StaffChannels(TRIAGE, RESTRICTED, EXECUTIVE)
        desk = SlackContext(usual_store, voice(), channels, letter, read_out_text)
        usual_store.write(use_rulebook, RULES)
        app = await build_app(desk, client, signing_secret=SIGNING)
        async with caller(connection.PATH, connection.http_handler(app)) as http:
            yield http


@often
@given(raw=changed_values(UPDATES))
async def test_an_update_of_any_shape_is_handled_or_set_aside(
    telegram: httpx.AsyncClient, usual_store: Store, raw: Any
) -> None:
    """200 only comes once the update has its key, and an update never holds up the next ones."""
    answer = await telegram.post("/telegram", content=json.dumps(raw), headers={HEADER: SECRET})
    assert answer.status_code == 200


@often
@given(
    body=st.one_of(st.binary(max_size=200), changed_bytes((json.dumps(UPDATES[0]).encode(),))),
    name=st.sampled_from(
        [HEADER, "Content-Length", "Content-Type", "Transfer-Encoding", "X-Other", "Content-Encoding"]
    ),
    value=st.one_of(
        st.binary(max_size=40), st.sampled_from([b"9" * 5000, b"-1", b"1e3", SECRET.encode(), "٣".encode()])
    ),
    secret=st.booleans(),
)
@example(body=b"{}", name="Content-Length", value=b"9" * 5000, secret=True)
async def test_headers_and_bodies_of_any_kind_get_an_answer(
    telegram: httpx.AsyncClient, body: bytes, name: str, value: bytes, secret: bool
) -> None:
    headers = [(name.encode(), value), *([(HEADER.encode(), SECRET.encode())] if secret else [])]
    answer = await telegram.post("/telegram", content=body, headers=headers)
    allowed = {200, 400, 413} if secret or value == SECRET.encode() else {401}
    assert answer.status_code in allowed | {401}


@often
@given(payload=PAYLOADS, as_form=st.booleans())
async def test_a_signed_payload_of_any_shape_gets_an_answer(
    slack: httpx.AsyncClient, payload: Any, as_form: bool
) -> None:
    """Nothing is answered as our own failure: Slack would send it again, and stop after many."""
    if isinstance(payload, dict) and "command" in payload:
        texts = {name: str(value).encode(errors="replace").decode() for name, value in payload.items()}
        body = urlencode(texts, errors="replace")
    else:
        text = json.dumps(payload)
        body = urlencode({"payload": text}) if as_form else text
    answer = await slack.post(
        connection.PATH, content=body,
        headers={
            "Content-Type": "application/x-www-form-urlencoded" if as_form else "application/json",
            **signature(SIGNING, body, int(time.time())),
        },
    )  # fmt: skip
    assert answer.status_code in {200, 400, 404}


@often
@given(
    body=st.binary(max_size=300),
    at=st.text("0123456789-. e", max_size=12),
    signed=st.text("v0=abcdef123é", max_size=70),
)
async def test_an_unsigned_call_is_refused(
    slack: httpx.AsyncClient, body: bytes, at: str, signed: str
) -> None:
    headers = [(b"X-Slack-Request-Timestamp", at.encode()), (b"X-Slack-Signature", signed.encode())]
    answer = await slack.post(connection.PATH, content=body, headers=headers)
    assert answer.status_code in {400, 401}


def test_a_damaged_draft_is_reported_as_damaged(usual_store: Store) -> None:
    ref = Desk(usual_store).receive()
    number = usual_store.write(save_draft, ref, "U1", "decide", {"a": 1}, {"values": "{}"}, "Dear Anna", 1)
    row = select(DRAFTS.c.sealed).where(DRAFTS.c.id == number)
    whole = usual_store.read(lambda tx: tx.connection.execute(row).scalar_one())

    @often
    @given(changed_bytes((whole,)))
    def feed(sealed: bytes) -> None:
        changed = update(DRAFTS).where(DRAFTS.c.id == number).values(sealed=sealed)
        usual_store.write(lambda tx: tx.connection.execute(changed))
        if sealed == whole:
            assert usual_store.read(read_draft, number) is not None
            return
        with pytest.raises(SealBroken):
            usual_store.read(read_draft, number)

    feed()
