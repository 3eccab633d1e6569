"""Alerts outside of Slack: a real command and a real server, and what happens when they fail."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from amends.checks import CheckFinding, check_installation
from amends.runtime.alerts import TEST_ALERT, AlertJob, send_alert
from amends.settings import Settings, SettingsError
from amends.settings.settings_file import parse_settings
from complaints.case_values import RecordedSign
from simulator import Simulator
from store.cases.read import load_case
from store.outbox.claim import claim
from store.outbox.complete import Completed, Outcome, Rescheduled, Retry
from store.slack_posts import list_unreached
from store.store import Store
from store.values import Obligation
from tests.databases import FakeClock
from tests.edges.product import KEY, ROOT, SETTINGS
from tests.edges.serving import serving_app
from tests.edges.slack_office import MONA, TUGBA, Office, open_office

PHONE = "+441632960001"


@dataclass
class Service:
    """A local alerting service, which answers by path: `/ok`, `/broken`, `/slow`, `/moved`."""

    url: str = ""
    bodies: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


@asynccontextmanager
async def alerting_service() -> AsyncIterator[Service]:
    service = Service()

    async def answer(request: Request) -> Response:
        service.bodies.append((await request.body()).decode())
        service.headers.append(request.headers)
        match request.path_params["how"]:
            case "broken":
                return Response(status_code=500)
            case "slow":
                await asyncio.sleep(5)
            case "moved":
                return RedirectResponse(f"{service.url}/ok")
        return Response(status_code=202)

    routes = [Route("/{how}", answer, methods=["POST"])]
    async with serving_app(Starlette(routes=routes)) as service.url:
        yield service


def settings(folder: Path, on_call: str, **variables: str) -> Settings:
    secrets = {"AMENDS_SECRET_KEY": KEY, "AMENDS_DATABASE_URL": f"sqlite:///{folder}/checked.db", **variables}
    text = f'{SETTINGS}\n[on_call]\npeople = ["{MONA}"]\ntimeout = 2\nreach = {{ {MONA} = "{PHONE}" }}\n{on_call}\n'
    return parse_settings(text, folder / "amends.toml", secrets)


def script(folder: Path, body: str) -> str:
    """The setting for a command that keeps what it gets in the file `alerts`, then does this."""
    path = folder / "alert"
    path.write_text(f'#!/bin/sh\nalert=$(cat)\necho "$alert" >>{folder}/alerts\n{body}\n')
    path.chmod(0o700)
    return f'command = ["{path}"]'


def received(folder: Path) -> list[dict[str, Any]]:
    file = folder / "alerts"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@dataclass
class Alerting:
    """A danger in the office, and the job that alerts people of it."""

    office: Office
    ref: str
    obligation: Obligation

    async def alerts(self, own: Settings) -> Outcome:
        return await AlertJob(own, self.office.store, lambda *_: None).alert(self.obligation)


@pytest.fixture
async def danger(sqlite_store: Store, clock: FakeClock) -> AsyncIterator[Alerting]:
    async with open_office(sqlite_store, clock) as office:
        sign = RecordedSign("gas.gas_smell", 4, 3, danger=True, at=clock(), seq=1)
        ref = office.receive("Zzyzx: there is a smell of gas", signs=(sign,))
        await office.idle()
        (obligation,) = sqlite_store.write(claim, ("alert",), 1, 600)
        yield Alerting(office, ref, obligation)


async def test_each_round_alerts_those_who_are_paged_with_codes_and_ids_only(
    danger: Alerting, tmp_path: Path
) -> None:
    own, start = settings(tmp_path, script(tmp_path, "")), danger.office.clock.at
    outcomes = []
    for minutes in (0, 2, 31):
        danger.office.clock.go_on(seconds=(start - danger.office.clock.at).total_seconds() + 60 * minutes)
        outcomes.append(await danger.alerts(own))
    alerts = received(tmp_path)

    # In the third minute nobody is alerted again; after half an hour top management is too.
    assert [(alert["member"], alert["round"], alert["minutes"]) for alert in alerts[:1]] == [(MONA, 1, 0)]
    assert {(alert["member"], alert["round"], alert["minutes"]) for alert in alerts[1:]} == {
        (MONA, 7, 31),
        (TUGBA, 7, 31),
    }
    danger_at = danger.office.store.read(load_case, danger.ref).alarms[-1].at
    first = {
        "alert": "danger", "id": f"{danger.ref}/{danger_at.isoformat().replace('+00:00', 'Z')}", "minutes": 0,
        "reference": danger.ref, "kinds": ["gas"], "round": 1, "read_late_minutes": 0, "member": MONA, "reach": PHONE,
    }  # fmt: skip
    assert alerts[0] == first
    assert {alert["reach"] for alert in alerts if alert["member"] == TUGBA} == {None}
    assert [outcome.at - danger_at for outcome in outcomes if isinstance(outcome, Rescheduled)] == [
        timedelta(minutes=minutes) for minutes in (5, 5, 35)
    ]


async def test_if_one_person_cannot_be_reached_the_next_is_alerted_at_once_and_the_next_page_says_so(
    danger: Alerting, tmp_path: Path
) -> None:
    own = settings(tmp_path, script(tmp_path, f'case "$alert" in *{MONA}*) exit 7;; esac'))
    with capture_logs() as lines:
        outcome = await danger.alerts(own)

    assert isinstance(outcome, Rescheduled)
    assert outcome.why == f"not reached: {MONA}"
    assert [alert["member"] for alert in received(tmp_path)] == [MONA, TUGBA]
    failures = [line for line in lines if line["event"] == "alert_failed"]
    assert [(line["member"], line["way"], line["why"]) for line in failures] == [
        (MONA, "command", "exit code 7")
    ]
    assert danger.office.store.read(list_unreached) == [MONA]
    # Who is alerted in place of another gets the page in Slack at once too, and only once.
    await danger.office.idle()
    assert ["Danger" in message.text for message in danger.office.staff(TUGBA).direct_messages] == [True]
    danger.office.clock.go_on(minutes=5)
    await danger.office.idle()
    page = danger.office.staff(MONA).direct_messages[-1].text
    assert f"Alerts outside of Slack did not reach <@{MONA}>" in page

    # Reached in the next round: nothing is said of it any more.
    await danger.alerts(settings(tmp_path, script(tmp_path, "")))
    assert danger.office.store.read(list_unreached) == []


async def test_if_nobody_can_be_reached_it_is_tried_again_soon_and_not_with_those_who_were(
    danger: Alerting, tmp_path: Path
) -> None:
    failed = await danger.alerts(settings(tmp_path, script(tmp_path, "exit 1")))
    reached = await danger.alerts(settings(tmp_path, script(tmp_path, "")))
    again = await danger.alerts(settings(tmp_path, script(tmp_path, "")))

    assert isinstance(failed, Retry)
    assert failed.why == f"not reached: {MONA}, {TUGBA}"
    assert (failed.after_seconds or 0) <= 5
    assert [alert["member"] for alert in received(tmp_path)] == [MONA, TUGBA, MONA]
    assert (type(reached), type(again)) == (Rescheduled, Rescheduled)


async def test_a_confirmed_danger_alerts_nobody_and_without_a_way_nothing_is_tried(
    danger: Alerting, tmp_path: Path
) -> None:
    without = await danger.alerts(settings(tmp_path, ""))
    await danger.office.staff(MONA).presses(danger.office.staff(MONA).direct_messages[-1], "Receipt")
    confirmed = await danger.alerts(settings(tmp_path, script(tmp_path, "")))

    assert (without, confirmed) == (Completed(), Completed())
    assert received(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/ok", ""),
        ("/broken", "HTTP 500"),
        ("/moved", "HTTP 307"),
        ("/slow", "TimeoutError"),
        (None, "ConnectError"),
    ],
)
async def test_an_address_counts_as_reached_only_with_a_good_answer_in_time(
    tmp_path: Path, path: str | None, why: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{free.getsockname()[1]}/"
    async with alerting_service() as service:
        url = refused if path is None else service.url + path
        own = settings(tmp_path, f'url = "{url}"', AMENDS_ON_CALL_TOKEN="secret")
        results = await send_alert(own, {"alert": "danger"}, TUGBA)
    assert results == {"url": why}
    # A redirect is not followed: another host would get the token.
    assert service.bodies == (
        [] if path is None else [f'{{"alert": "danger", "member": "{TUGBA}", "reach": null}}']
    )
    assert [headers["authorization"] for headers in service.headers] == ["Bearer secret"] * len(
        service.bodies
    )


@pytest.mark.parametrize(
    ("body", "why"), [("exit 1", "exit code 1"), ("sleep 600", "timeout"), (None, "FileNotFoundError")]
)
async def test_a_command_that_fails_or_hangs_is_a_failure(tmp_path: Path, body: str | None, why: str) -> None:
    command = 'command = ["/nowhere/alert"]' if body is None else script(tmp_path, body)
    assert await send_alert(settings(tmp_path, command), {"alert": "test"}, MONA) == {"command": why}


async def test_a_person_is_reached_if_one_of_two_ways_works(danger: Alerting, tmp_path: Path) -> None:
    async with alerting_service() as service:
        ways = f'{script(tmp_path, "exit 1")}\nurl = "{service.url}/ok"'
        outcome = await danger.alerts(settings(tmp_path, ways))
    assert isinstance(outcome, Rescheduled)
    assert [json.loads(body)["member"] for body in service.bodies] == [MONA]


def test_an_address_without_tls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="would be called unencrypted"):
        settings(tmp_path, 'url = "http://alerts.example.org/"')


async def checked_pages(own: Settings) -> list[CheckFinding]:
    findings = await check_installation(own, page=True)
    return [finding for finding in findings if finding.subject == "test alert"]


async def test_a_test_alert_goes_out_in_every_way_and_each_result_is_shown(tmp_path: Path) -> None:
    async with Simulator() as sim, alerting_service() as service:
        tokens = {"AMENDS_SLACK_BOT_TOKEN": sim.slack_bot_token, "AMENDS_SLACK_API_URL": sim.slack_url}
        ways = f'{script(tmp_path, "exit 3")}\nurl = "{service.url}/ok"'
        findings = await checked_pages(settings(tmp_path, ways, **tokens))
        texts = [message.text for message in sim.staff(MONA).direct_messages]
        refused = await checked_pages(
            settings(tmp_path, "", **(tokens | {"AMENDS_SLACK_BOT_TOKEN": "xoxb-wrong"}))
        )

    assert [(finding.mark, finding.result) for finding in findings] == [
        ("ok", f"sent to {MONA} by Slack; ask whether it woke them"),
        ("fail", f"not sent to {MONA} by command (exit code 3)"),
        ("ok", f"sent to {MONA} by url; ask whether it woke them"),
    ]
    assert ["This is only a test" in text for text in texts] == [True]
    (alert,) = (json.loads(body) for body in service.bodies)
    assert (alert["alert"], alert["member"], alert["reach"]) == ("test", MONA, PHONE)
    assert alert.keys() == received(tmp_path)[0].keys()
    assert [(finding.mark, finding.result) for finding in refused] == [
        ("fail", f"not sent to {MONA} by Slack (invalid_auth)")
    ]


async def test_the_check_says_that_a_slack_message_wakes_nobody(tmp_path: Path) -> None:
    silent, missing, well = [
        [finding.result for finding in await check_installation(settings(tmp_path, on_call))]
        for on_call in ("", 'command = ["/nowhere/alert"]', script(tmp_path, ""))
    ]
    warning, no_program = "only Slack: a Slack message wakes nobody", "/nowhere/alert: no such program"
    assert (warning in silent, warning in missing, warning in well) == (True, False, False)
    assert (no_program in missing, no_program in well) == (True, False)
    assert received(tmp_path) == []


def recipe(name: str, folder: Path, address: str) -> str:
    """The setting for a script of docs/operations.md with its secrets in this folder and the service at `address`."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"    #!/bin/sh\n    # /usr/local/bin/{name}\n((?:    .*\n)+)", page)
    text = re.sub(r"https://[^ \n]+", address, textwrap.dedent(body)).replace("/etc/amends", str(folder))
    path = folder / f"{name}.sh"
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o700)
    return f'command = ["{path}"]'


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the recipes need curl and jq")
@pytest.mark.parametrize(
    ("name", "secret", "expected"),
    [
        ("call-phone", ("twilio", 'user = "key:secret"'), "Danger+in+complaint+TEST"),
        ("pagerduty", ("pagerduty-key", "secret"), '"dedup_key": "test"'),
        ("ntfy", ("ntfy", 'header = "Authorization: Bearer secret"'), f'"topic": "{PHONE}"'),
    ],
)
async def test_the_recipes_in_the_documentation_work_and_fail_with_the_service(
    tmp_path: Path, name: str, secret: tuple[str, str], expected: str
) -> None:
    (tmp_path / secret[0]).write_text(f"{secret[1]}\n")
    async with alerting_service() as service:
        well = await send_alert(
            settings(tmp_path, recipe(name, tmp_path, f"{service.url}/ok")), TEST_ALERT, MONA
        )
        fails = recipe(name, tmp_path, f"{service.url}/broken")
        broken = await send_alert(settings(tmp_path, fails), TEST_ALERT, MONA)
    assert (well, broken) == ({"command": ""}, {"command": "exit code 22"})
    sent = service.bodies[0] + str(service.headers[0])
    assert expected.replace(" ", "") in sent.replace(" ", "").replace("%20", "+")
    # The phone's provider gets the key in a header of its own (Basic).
    assert "secret" in sent or "Basic" in sent
