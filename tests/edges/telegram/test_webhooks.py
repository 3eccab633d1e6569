"""The platforms' calls over real HTTP: the secret is checked first, 200 comes after the commit, no call hangs.

The subject is the HTTP endpoint; test_store_* tests the store on both databases. Tests marked `on_both` also run on
PostgreSQL.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from copy import deepcopy
from dataclasses import dataclass
from itertools import product as pairs
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from amends import wiring
from amends.runtime import web
from amends.settings.settings_file import load
from bots import http_body
from bots.http_body import MAX_BODY_BYTES
from bots.slack.app import build_app
from bots.slack.client import connection
from bots.slack.client.client import make_client
from bots.slack.context import SlackContext as StaffDesk
from bots.slack.context import StaffChannels
from bots.slack.staff_sync import sync_staff
from bots.slack.views.open_form import view_for
from bots.telegram import webhook as endpoint
from bots.telegram.webhook import HEADER, create_endpoint
from simulator import Simulator
from simulator.slack.socket import signature
from store.cases.read import list_cases, load_case, load_history
from store.database.engine import READERS
from store.database.errors import DatabaseUnavailable
from store.outbox.failed import find_handled_keys, keep_dead_letter
from store.people.staff import list_members, load_actor
from store.people.staff import sync_staff as store_sync_staff
from store.record.load import load_texts
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import Member
from tests.databases import FakeClock
from tests.edges.desk import Desk
from tests.edges.product import Product, until
from tests.edges.serving import bare_line, serving
from tests.edges.slack_forms.test_slack_required_fields import ASSESSED, input_state
from tests.edges.slack_office import ALICE, EXECUTIVE, RESTRICTED, ROLES, TRIAGE, letter, read_out_text
from tests.edges.telegram.test_telegram_intake import update
from tests.edges.telegram_desk import telegram_desk
from tests.rules.slack_cases import RULES, voice

_COMMAND_FIELDS = {"user_id": ALICE, "team_id": "T0000001", "channel_id": TRIAGE, "trigger_id": "1.1"}
SECRET, SIGNING = "a-webhook-secret", "sign"


@pytest.fixture
async def telegram(usual_store: Store) -> AsyncIterator[str]:
    """The address of a desk with a Telegram webhook."""
    async with (
        Simulator() as sim,
        telegram_desk(sim, usual_store, polls=False) as desk,
        serving({"/telegram": create_endpoint(desk.intake, SECRET)}) as url,
    ):
        yield url


@dataclass
class Office:
    """The staff's side over HTTP, with the simulated Slack that calls it."""

    sim: Simulator
    store: Store
    url: str
    desk: StaffDesk

    async def calls(
        self, fields: dict[str, str], *, secret: str = SIGNING, old: float = 0.0
    ) -> httpx.Response:
        """Send a signed request as Slack does."""
        body = urlencode(fields)
        signed = signature(secret, body, int(time.time() - old))
        headers = {"Content-Type": "application/x-www-form-urlencoded", **signed}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as caller:
            return await caller.post(f"{self.url}{connection.PATH}", content=body, headers=headers)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    """The Slack app with a signing secret, behind the real server."""
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        desk = StaffDesk(
            usual_store, voice(), StaffChannels(TRIAGE, RESTRICTED, EXECUTIVE), letter, read_out_text
        )
        usual_store.write(use_rulebook, RULES)
        await sync_staff(client, desk, ROLES)
        app = await build_app(desk, client, signing_secret=SIGNING)
        async with serving({connection.PATH: connection.http_handler(app)}) as url:
            yield Office(sim, usual_store, url, desk)


def _take_store_down(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("insert", {}, OSError("the disk is full"))

    monkeypatch.setattr(store, "read", gone)
    monkeypatch.setattr(store, "write", gone)


async def _post(url: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as caller:
        answer = await caller.post(f"{url}/telegram", content=body, headers=headers or {HEADER: SECRET})
        assert answer.text == ""
        return answer.status_code


@pytest.mark.on_both
async def test_telegram_gets_a_200_only_for_a_stored_update(
    telegram: str, usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps(update(1)).encode()
    with monkeypatch.context() as outage:
        _take_store_down(usual_store, outage)
        assert await _post(telegram, body) == 503
    assert [await _post(telegram, body) for _ in range(2)] == [200, 200]
    assert len(usual_store.read(list_cases)[0]) == 1


async def test_an_invalid_body_with_the_secret_is_refused_without_a_word(telegram: str) -> None:
    for body in (b"", b"\xff\xfe", b"[1]", b'"x"', b"{", b"[" * 100_000, b"null"):
        assert await _post(telegram, body) == 400, body[:9]


@asynccontextmanager
async def _silent(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A store that does not answer, and at the end does what it was asked for."""
    answers = threading.Event()

    def waiting(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            assert answers.wait(20)
            return real(*args, **named)

        return run

    with monkeypatch.context() as patched:
        patched.setattr(store, "read", waiting(store.read))
        patched.setattr(store, "write", waiting(store.write))
        try:
            yield
        finally:
            answers.set()


@pytest.mark.on_both
async def test_a_silent_store_gives_a_503_and_a_late_write_is_stored_once(
    telegram: str, usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT_SECONDS", 0.1)
    first, later = (json.dumps(update(number)).encode() for number in (1, 2))
    async with _silent(usual_store, monkeypatch):
        statuses = [await _post(telegram, body) for body in (first, first, later)]
    monkeypatch.setattr(endpoint, "TIMEOUT_SECONDS", 20.0)
    again = [await _post(telegram, body) for body in (later, first)]
    (case,) = usual_store.read(list_cases)[0]

    assert (statuses, again) == ([503, 503, 503], [200, 200])
    assert usual_store.read(find_handled_keys, ["tg:1", "tg:2"]) == {"tg:1", "tg:2"}
    assert len(usual_store.read(load_texts, str(case["ref"]))) == 2


async def test_the_number_of_updates_waiting_for_a_silent_store_is_limited(
    telegram: str, usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(endpoint, "MAX_WAITING_UPDATES", 1)
    async with _silent(usual_store, monkeypatch):
        statuses = [await _post(telegram, json.dumps(update(number)).encode()) for number in (1, 2)]
    await until(lambda: bool(usual_store.read(find_handled_keys, ["tg:1"])))

    assert statuses == [503, 503]
    assert not usual_store.read(find_handled_keys, ["tg:2"])


async def test_readiness_and_metrics_report_a_silent_store(
    usual_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "STORE_TIMEOUT_SECONDS", 0.1)
    product = Product(tmp_path, learnt=False)
    desk = wiring.Application(load(tmp_path / "amends.toml", product.env), usual_store, parts=("web",))
    await desk.start()
    async with httpx.AsyncClient(trust_env=False, timeout=10) as caller:
        async with _silent(usual_store, monkeypatch):
            # More calls than the store has threads: in the end all are busy.
            silent = [await caller.get(f"{product.url}/readyz") for _ in range(READERS + 1)]
            page = await caller.get(f"{product.url}/metrics")
        await product.ready()
    await desk.stop()

    assert {answer.status_code for answer in silent} == {503}
    assert silent[-1].json() == {"ready": False, "store": False, "figures": {}}
    assert 'amends_ready{part="store"} 0' in page.text


async def test_a_process_with_a_read_only_store_is_not_ready_until_it_can_write_again(
    sqlite_store: Store, tmp_path: Path
) -> None:
    def make_read_only(*, read_only: bool) -> None:
        with closing(sqlite_store._engines.writing.raw_connection()) as connection:
            connection.cursor().execute(f"PRAGMA query_only = {int(read_only)}")

    product = Product(tmp_path, learnt=False)
    desk = wiring.Application(load(tmp_path / "amends.toml", product.env), sqlite_store, parts=("web",))
    await desk.start()
    answers = []
    async with httpx.AsyncClient(trust_env=False, timeout=10) as caller:
        for read_only in (False, True, False):
            make_read_only(read_only=read_only)
            with suppress(DatabaseUnavailable):
                sqlite_store.write(keep_dead_letter, "tg:1", b"{}", "unparsed: KeyError")
            answers.append((await caller.get(f"{product.url}/readyz")).json()["store"])
        make_read_only(read_only=True)
        # No write was tried since: nothing is known yet, and a readiness call makes no attempt.
        answers.append((await caller.get(f"{product.url}/readyz")).json()["store"])
        with suppress(DatabaseUnavailable):
            sqlite_store.write(keep_dead_letter, "tg:2", b"{}", "unparsed: KeyError")
        answers.append((await caller.get(f"{product.url}/readyz")).json()["store"])
        make_read_only(read_only=False)
        # Out of rotation the process writes nothing: the readiness call itself detects the recovery.
        answers.append((await caller.get(f"{product.url}/readyz")).json()["store"])
    await desk.stop()

    assert answers == [True, False, True, True, False, True]


async def test_the_secret_is_checked_before_the_body_is_read(telegram: str) -> None:
    head = f"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY_BYTES}\r\n"
    assert b" 401 " in await bare_line(telegram, f"{head}\r\n".encode())
    assert b" 401 " in await bare_line(telegram, f"{head}{HEADER}: \xfc\r\n\r\n".encode("latin-1"))


async def test_a_large_body_is_refused_by_its_announced_length_and_by_its_size(telegram: str) -> None:
    head = f"POST /telegram HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\n"
    response = await bare_line(telegram, f"{head}Content-Length: {MAX_BODY_BYTES + 1}\r\n\r\n".encode())
    assert b" 413 " in response

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65536 + 2):
            yield b"x" * 65536

    async with httpx.AsyncClient(trust_env=False, timeout=20) as caller:
        answer = await caller.post(f"{telegram}/telegram", content=endless(), headers={HEADER: SECRET})
    assert answer.status_code == 413


async def test_a_slow_body_times_out(telegram: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_body, "READ_TIMEOUT_SECONDS", 0.2)
    head = f"POST /telegram HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nContent-Length: 10\r\n\r\n{{"
    assert b" 408 " in await bare_line(telegram, head.encode())
    assert await _post(telegram, json.dumps(update(7)).encode()) == 200


async def test_a_slow_request_head_times_out_and_a_reused_connection_is_kept(
    telegram: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PEER_TIMEOUT_SECONDS", 1.5)
    host, port = telegram.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")

    async def trickles() -> None:
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"X-A: b\r\n")
                await writer.drain()
                await asyncio.sleep(0.1)

    async with httpx.AsyncClient(trust_env=False, timeout=20, base_url=telegram) as caller:
        trickling = asyncio.create_task(trickles())
        async with asyncio.timeout(20):
            while not trickling.done():
                assert (await caller.get("/healthz")).status_code == 200
                await asyncio.sleep(0.2)
    writer.close()


async def test_a_broken_connection_or_non_http_bytes_affect_no_other_caller(telegram: str) -> None:
    host, port = telegram.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /telegram HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nContent-Length: 9\r\n\r\n{{".encode()
    )
    await writer.drain()
    writer.close()
    assert b" 400 " in await bare_line(telegram, b"\x16\x03\x01 no http\r\n\r\n")
    assert await _post(telegram, json.dumps(update(8)).encode()) == 200


async def test_other_methods_and_paths_get_plain_answers(telegram: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=20, base_url=telegram) as caller:
        requests = [
            ("GET", "/telegram"), ("HEAD", "/telegram"), ("PUT", "/telegram"), ("GET", "/nowhere"),
            ("HEAD", "/healthz"), ("HEAD", "/"), ("POST", "/healthz"), ("GET", "/%00%ff"),
        ]  # fmt: skip
        codes = [(await caller.request(method, path)).status_code for method, path in requests]
    assert codes == [405, 405, 405, 404, 200, 200, 405, 404]


async def test_every_answer_tells_a_browser_to_load_and_keep_nothing(telegram: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=20, base_url=telegram) as caller:
        answers = [await caller.get(path) for path in ("/", "/healthz", "/metrics", "/nowhere", "/telegram")]
        answers.append(await caller.post("/telegram", content=b"{}"))
        answers.append(await caller.request("TRACE", "/"))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 405, 401, 405]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        (policy,) = answer.headers.get_list("Content-Security-Policy")
        assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "server" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


async def test_slack_is_answered_only_with_a_fresh_valid_signature(office: Office) -> None:
    command = {"command": "/complaints", "text": "help", **_COMMAND_FIELDS}
    good = await office.calls(command)
    wrong, old = await office.calls(command, secret="other"), await office.calls(command, old=400)
    assert (good.status_code, wrong.status_code, old.status_code) == (200, 401, 401)
    assert "show REF" in good.text


async def test_a_call_with_an_invalid_signature_is_refused_and_logged_as_no_error(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    body = urlencode({"command": "/complaints", "text": "help", **_COMMAND_FIELDS})
    stamp, mark = signature(SIGNING, body, int(time.time())).items()
    odd = [(stamp[0], value) for value in ("", "abc", "nan", "1790000000.5", "\xb2", "9" * 5_000)]
    odd += [(mark[0], value) for value in ("", "v0=\xe9", f"v0={'0' * 64}")]
    async with httpx.AsyncClient(trust_env=False, timeout=20) as caller:
        codes = {}
        for name, odd_value in odd:
            headers = [
                (header.encode(), value.encode("latin-1"))
                for header, value in {**dict([stamp, mark]), name: odd_value}.items()
            ]
            answer = await caller.post(f"{office.url}{connection.PATH}", content=body, headers=headers)
            codes[name, odd_value] = answer.status_code
    assert codes == dict.fromkeys(odd, 401)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_slacks_ssl_check_and_url_verification_are_answered(office: Office) -> None:
    assert (await office.calls({"ssl_check": "1", "token": "x"})).status_code == 200
    body = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "t"})
    headers = {"Content-Type": "application/json", **signature(SIGNING, body, int(time.time()))}
    async with httpx.AsyncClient(trust_env=False) as caller:
        answer = await caller.post(f"{office.url}{connection.PATH}", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "c-1"})


async def test_an_invalid_slack_body_is_refused_with_or_without_a_signature(office: Office) -> None:
    bodies = (b"", b"\xff\xfe", b"payload=%7B", b"payload=1", b"[1]", b"{}", b"payload=%7B%22type%22%3A1%7D")
    for body, kind in pairs(bodies, ("application/json", "application/x-www-form-urlencoded")):
        signed = signature(SIGNING, body.decode("latin-1"), int(time.time()))
        async with httpx.AsyncClient(trust_env=False, timeout=20) as caller:
            for headers in ({"Content-Type": kind}, {"Content-Type": kind, **signed}):
                answer = await caller.post(f"{office.url}{connection.PATH}", content=body, headers=headers)
                # A JSON object of another shape is acknowledged if it is signed, and otherwise refused.
                is_object = body == b"{}" or body.startswith(b"payload=%7B%22type")
                is_signed = "x-slack-signature" in {name.lower() for name in headers}
                assert (
                    answer.status_code == 200 if is_object and is_signed else 400 <= answer.status_code < 500
                )
                assert "Traceback" not in answer.text


_ANYTHING = (
    None,
    True,
    5,
    2.5,
    "x",
    "",
    [],
    [1],
    [[]],
    [{}],
    [{"action_id": 1}],
    {},
    {"id": 3},
    {"a": {"b": []}},
)
_FIELDS = ("event", "type", "actions", "user", "view")
_KINDS = ("block_actions", "view_submission", "event_callback", "shortcut", "message_action", "something_new")


@pytest.mark.parametrize("kind", _KINDS)
async def test_a_signed_call_of_another_shape_is_logged_and_acknowledged(
    office: Office, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = json.loads(_press("A7K-M3Q-9T")["payload"]) | {
        "type": kind,
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": "note",
            "private_metadata": "{}",
            "state": {"values": {}},
        },
        "event": {"type": "app_home_opened", "user": ALICE, "tab": "home"},
    }
    shapes = [{name: value for name, value in whole.items() if name != left_out} for left_out in _FIELDS]
    shapes += [whole | {name: value} for name in _FIELDS for value in _ANYTHING]
    shapes += [whole | {"view": {**whole["view"], "blocks": blocks}} for blocks in _ANYTHING]
    shapes += [
        {**whole, "type": kind, name: value, other: value}
        for name in _FIELDS
        for other in _FIELDS
        for value in ({}, 1)
    ]
    for payload in shapes:
        answer = await office.calls({"payload": json.dumps(payload)})
        assert answer.status_code == 200, {name: payload.get(name) for name in _FIELDS}
        assert "Traceback" not in answer.text
    unsigned = await office.calls({"payload": json.dumps(shapes[0])}, secret="another")
    assert unsigned.status_code == 401


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, child in inside for deeper in _paths(child, (*path, key)))]


def _mutated(payload: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The same submission with one part of its view missing, of another type, or in a list."""
    changed = deepcopy(payload)
    part = draw.choice(["state", "private_metadata", "blocks", "callback_id"])
    *parents, last = draw.choice([path for path in _paths(changed) if path[:2] == ("view", part)])
    holder = changed
    for key in parents:
        holder = holder[key]
    odd = draw.choice([*_ANYTHING, "removed", "listed"])
    if odd == "removed":
        del holder[last]
    else:
        holder[last] = [holder[last]] if odd == "listed" else odd
    return changed


async def test_a_signed_form_with_a_malformed_part_gets_a_clean_answer(office: Office) -> None:
    ref = Desk(office.store).receive()
    alice = Member(id=ALICE, name="Alice", aliases=(), roles=frozenset(ROLES))
    office.store.write(store_sync_staff, [alice])
    actor = office.store.read(load_actor, ALICE)
    values = {
        "assess": ASSESSED,
        "note": {"text": "Rang back."},
    }
    draw = random.Random(20261203)
    submissions = []
    for form, typed in values.items():
        view = await view_for(office.desk, form, ref, actor)
        view |= {"id": "V1", "hash": "1", "state": {"values": input_state(form, typed)}}
        person = {"id": ALICE, "team_id": "T0000001"}
        submissions.append(
            {"type": "view_submission", "team": {"id": "T0000001"}, "user": person, "view": view}
        )
    faults = {}
    for _ in range(60):
        payload = _mutated(draw.choice(submissions), draw)
        answer = await office.calls({"payload": json.dumps(payload)})
        if answer.status_code not in (200, 400, 404) or "Traceback" in answer.text:
            faults[json.dumps(payload)[-300:]] = answer.status_code
    assert faults == {}


async def test_a_call_gets_through_while_one_peer_holds_600_idle_connections(telegram: str) -> None:
    host, port = telegram.removeprefix("http://").split(":")
    lines = [await asyncio.open_connection(host, int(port)) for _ in range(600)]
    try:
        assert await _post(telegram, json.dumps(update(1, "Brown water.")).encode()) == 200
    finally:
        for _, writer in lines:
            writer.close()


async def test_the_oldest_idle_connection_is_dropped_and_a_running_request_is_not(
    telegram: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_IDLE_PER_PEER", 3)
    host, port = telegram.removeprefix("http://").split(":")
    lines = []
    for number in range(5):
        reader, writer = await asyncio.open_connection(host, int(port))
        lines.append((reader, writer))
        if number == 0:
            head = f"POST /telegram HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nContent-Length: 2\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()
            await asyncio.sleep(0.2)
    try:
        assert await asyncio.wait_for(lines[1][0].read(), 10) == b""
        lines[0][1].write(b"{}")
        assert (await asyncio.wait_for(lines[0][0].readline(), 10)).startswith(b"HTTP/1.1")
    finally:
        for _, writer in lines:
            writer.close()


async def _slow_body(url: str, path: str = "/telegram") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request whose body does not come; the server has read its head once it asks for the body."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    signed = {**signature(SIGNING, "", int(time.time())), HEADER: SECRET, "Expect": "100-continue"}
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Length: 2", *map(": ".join, signed.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    return reader, writer


async def test_no_signed_call_fails_beside_600_slow_bodies(office: Office) -> None:
    lines = [await _slow_body(office.url, connection.PATH) for _ in range(600)]
    body = urlencode({"ssl_check": "1", "token": "x"})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    codes = []
    unused = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(trust_env=False, timeout=20, limits=unused) as caller:
        for _ in range(100):
            lines.append(await _slow_body(office.url, connection.PATH))
            signed = headers | signature(SIGNING, body, int(time.time()))
            answer = await caller.post(f"{office.url}{connection.PATH}", content=body, headers=signed)
            codes.append(answer.status_code)
    for _, writer in lines:
        writer.close()
    assert codes == [200] * 100


@pytest.mark.parametrize("limit", ["MAX_UNFINISHED_PER_PEER", "MAX_UNFINISHED"])
async def test_the_oldest_unfinished_request_is_dropped_and_no_idle_connection(
    telegram: str, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(web, limit, 3)
    host, port = telegram.removeprefix("http://").split(":")
    idle, idle_writer = await asyncio.open_connection(host, int(port))
    lines = [await _slow_body(telegram) for _ in range(4)]
    first, *others = lines
    assert await asyncio.wait_for(first[0].read(), 10) == b""
    for reader, writer in others:
        writer.write(b"{}")
        assert b" 200 " in await asyncio.wait_for(reader.readline(), 10)
    idle_writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 200 " in await asyncio.wait_for(idle.readline(), 10)
    for writer in (idle_writer, *(writer for _, writer in lines)):
        writer.close()


async def test_a_reused_connection_counts_from_its_new_request(
    telegram: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_UNFINISHED_PER_PEER", 2)
    host, port = telegram.removeprefix("http://").split(":")
    reused, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 200 " in await asyncio.wait_for(reused.readline(), 10)
    await reused.readuntil(b'{"ok":true}')
    slow = [await _slow_body(telegram) for _ in range(2)]
    head = f"POST /telegram HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nContent-Length: 2\r\n\r\n"
    writer.write(head.encode())
    assert await asyncio.wait_for(slow[0][0].read(), 10) == b""
    writer.write(b"{}")
    assert b" 200 " in await asyncio.wait_for(reused.readline(), 10)
    for line in (writer, *(writer for _, writer in slow)):
        line.close()


@pytest.mark.parametrize("waits_for", ["the body", "the reading of the answer"])
async def test_a_connection_that_only_waits_for_its_peer_is_ended(
    monkeypatch: pytest.MonkeyPatch, waits_for: str
) -> None:
    """Also on a route without a time limit of its own."""
    monkeypatch.setattr(web, "PEER_TIMEOUT_SECONDS", 0.5)
    ended = asyncio.Event()

    async def hook(request: Request) -> Response:
        with suppress(ClientDisconnect):
            await request.body()
            return Response(b"x" * 32_000_000, background=BackgroundTask(ended.set))
        ended.set()
        return Response()

    async with serving({"/hook": hook}) as url:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1024)
        length = 2 if waits_for == "the body" else 0
        writer.write(f"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        await asyncio.wait_for(ended.wait(), 20)
        writer.close()


def _press(ref: str, pressed_at: str = "1.1") -> dict[str, str]:
    payload = {
        "type": "block_actions",
        "team": {"id": "T0000001"},
        "user": {"id": ALICE, "team_id": "T0000001"},
        "api_app_id": "A1",
        "token": "t",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "container": {"type": "message", "channel_id": TRIAGE, "message_ts": "1.1"},
        "channel": {"id": TRIAGE, "name": "complaints"},
        "actions": [
            {
                "type": "button",
                "action_id": "case.take",
                "block_id": "actions:0.1",
                "value": ref,
                "action_ts": pressed_at,
            }
        ],
    }
    return {"payload": json.dumps(payload)}


@pytest.mark.on_both
async def test_a_press_that_cannot_be_stored_is_answered_plainly_and_a_repeat_changes_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = Desk(office.store).receive()
    office.store.write(
        store_sync_staff,
        [member for member in office.store.read(list_members) if member.id != ALICE]
        + [
            type(office.store.read(list_members)[0])(
                id=ALICE, name="Alice", aliases=(), roles=frozenset(ROLES)
            )
        ],
    )
    press = _press(ref)
    with monkeypatch.context() as outage:
        _take_store_down(office.store, outage)
        await office.calls(press)
        # Acknowledged or not, it must not look done.
        await office.sim.until(lambda: bool(office.sim.staff(ALICE).ephemerals), timeout=10)
    assert [message.text for message in office.sim.staff(ALICE).ephemerals] == [
        voice().text("refused.unexpected")
    ]
    assert office.store.read(load_case, ref).owner is None
    assert [(await office.calls(press)).status_code for _ in range(2)] == [200, 200]
    verbs = [event.verb.value for event in office.store.read(load_history, ref)]
    assert verbs.count("assign") == 1
    assert office.store.read(load_case, ref).owner == ALICE


async def test_a_command_during_a_database_outage_is_not_silently_accepted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take_store_down(office.store, monkeypatch)
    answer = await office.calls({"command": "/complaints", "text": "mine", **_COMMAND_FIELDS})
    # Slack shows its own "did not respond", or our text says that nothing was done; never silence.
    assert answer.status_code != 200 or voice().text("refused.unexpected") in answer.text
