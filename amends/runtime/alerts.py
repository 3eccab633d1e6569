"""Alerts the people on call outside of Slack, by the command and the address of `[on_call]`.

A Slack message does not wake people. The alert has codes and ids only, never a word or a name of the complainant.
The heartbeat lets a service outside notice when the desk does not work.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from amends.runtime.programs import call_address, command_result, reason_of_failure
from amends.settings import Settings
from amends.settings.sections import OnCallSettings
from bots.slack.jobs.direct_messages import NO_STAFF_RETRY_SECONDS
from bots.slack.recipients import PAGE_EVERY, TOP_AFTER, paged_members
from complaints.case import Case
from complaints.times import format_time
from store.cases.read import load_case
from store.outbox.complete import Completed, Outcome, Rescheduled, Retry
from store.people.staff import list_members
from store.slack_posts import alert_prefix, list_alerted, page_now, record_alert
from store.store import Store
from store.values import Obligation

#: A danger that is none (`amends check --page`). The fields are explained in docs/operations.md, "On call".
TEST_ALERT = {
    "alert": "test", "id": "test", "reference": "TEST", "kinds": (), "round": 1, "minutes": 0, "read_late_minutes": 0,
}  # fmt: skip

log = structlog.get_logger(__name__)


def danger_alert(case: Case, since: timedelta) -> dict[str, Any]:
    """What an alert says about the danger of this complaint that came so long ago."""
    alarm = case.alarms[-1]
    return {
        "alert": "danger",
        "id": f"{case.ref}/{format_time(alarm.at)}",
        "reference": case.ref,
        "kinds": sorted({sign.kind for sign in case.signs if sign.danger or sign.look}),
        "round": since // PAGE_EVERY + 1,
        "minutes": since // timedelta(minutes=1),
        "read_late_minutes": alarm.read_after // timedelta(minutes=1),
    }


async def send_alert(settings: Settings, alert: Mapping[str, Any], member_id: str) -> Mapping[str, str]:
    """Send it to one person by all ways at once; for each way the reason why it failed, "" if it did not."""
    own, token = settings.on_call, settings.secrets.on_call_token
    body = json.dumps({**alert, "member": member_id, "reach": own.reach.get(member_id)})
    ways: dict[str, Awaitable[object]] = {}
    if own.command:
        ways["command"] = command_result(own.command, body.encode(), own.timeout)
    if own.url:
        ways["url"] = call_address(own.url, own.timeout, token, body)
    reasons = await asyncio.gather(*map(reason_of_failure, ways.values()))
    return dict(zip(ways, reasons, strict=True))


@dataclass(frozen=True)
class AlertJob:
    """Handles `alert`: in the rounds of the Slack page, until a person confirms the danger.

    A person is reached if one way works. For each who is not, the next person is alerted at once, also one who would
    be paged only later. `on_sent` is called with the way and the outcome: ok or failed.
    """

    settings: Settings
    store: Store
    on_sent: Callable[[str, str], None]

    async def alert(self, obligation: Obligation) -> Outcome:
        store, ref = self.store, str(obligation.ref)
        members, case = await store.aread(list_members), await store.aread(load_case, ref)
        alarm, own = case.unseen_alarm, self.settings.on_call
        start = alarm.pages_from if alarm is not None else None
        if not (own.command or own.url) or start is None:
            return Completed()
        since = max(store.now() - start, timedelta(0))
        prefix = f"{alert_prefix(case)}{since // PAGE_EVERY}:"
        reached = await store.aread(list_alerted, prefix)
        paged = paged_members(case, members, store.now(), start)
        # Everybody who is ever paged for this danger, in that order.
        everybody = paged_members(case, members, start + TOP_AFTER, start)
        later = [member for member in everybody if member not in {*paged, *reached}]
        people, unreached = [member for member in paged if member not in reached], list[str]()
        reach = partial(self._reach, danger_alert(case, since), prefix)
        while people and case.unseen_alarm is not None:
            results = await asyncio.gather(*map(reach, people))
            failed = [member for member, is_reached in zip(people, results, strict=True) if not is_reached]
            reached |= set(people) - set(failed)
            unreached += failed
            people, later = later[: len(failed)], later[len(failed) :]
            case = await store.aread(load_case, ref)
        if reached - set(paged):
            await store.awrite_with_retry(page_now, ref)
        why = f"not reached: {', '.join(unreached)}" if unreached else "alerted; not confirmed yet"
        if not reached:
            return Retry(why if unreached else "no staff are known yet", NO_STAFF_RETRY_SECONDS)
        return Rescheduled(start + (since // PAGE_EVERY + 1) * PAGE_EVERY, why)

    async def _reach(self, alert: Mapping[str, Any], prefix: str, member_id: str) -> bool:
        results, ref = await send_alert(self.settings, alert, member_id), alert["reference"]
        for way, why in results.items():
            self.on_sent(way, "failed" if why else "ok")
            if why:
                log.error("alert_failed", ref=ref, member=member_id, way=way, why=why)
        is_reached = "" in results.values()
        await self.store.awrite_with_retry(record_alert, prefix, ref, member_id, reached=is_reached)
        return is_reached


async def send_heartbeats(
    settings: OnCallSettings, works: Callable[[], Awaitable[bool]], on_sent: Callable[[str], None]
) -> None:
    """Call the address regularly, until cancelled. The log never has the address: who knows it could call it too.

    `on_sent` is called with the outcome: ok, failed, or withheld because the desk does not work.
    """
    while True:
        await asyncio.sleep(settings.heartbeat_every)
        outcome, why = "withheld", "the desk does not work"
        try:
            if await works():
                why = await reason_of_failure(call_address(str(settings.heartbeat), settings.timeout))
                outcome = "failed" if why else "ok"
        except Exception as error:  # noqa: BLE001  # it must never end the desk that it watches
            why = type(error).__name__
        if why:
            log.warning("heartbeat_not_sent", outcome=outcome, why=why)
        on_sent(outcome)
