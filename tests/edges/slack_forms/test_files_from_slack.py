"""Files that staff uploaded in Slack are fetched with the desk's token, which no other host may see."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bots.slack.jobs.staff_files import FileJobs
from tests.edges.serving import serving_app

TOKEN = "xoxb-of-the-desk"


class Host:
    """A server that notes who presented the token, and can send callers on to another one."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        self.onward = ""

    async def answer(self, request: Request) -> Response:
        self.seen.append(request.headers.get("authorization"))
        return RedirectResponse(self.onward) if self.onward else PlainTextResponse("a scan")

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.answer)])


async def fetch(address: str, *, api: str) -> bytes:
    poster: Any = SimpleNamespace(client=SimpleNamespace(token=TOKEN, base_url=f"{api}/api/", proxy=None))
    return await FileJobs(poster)._download(address)


async def test_only_the_host_of_slack_gets_the_token_also_after_a_redirect() -> None:
    slack, other = Host(), Host()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(serving_app(slack.app()))
        elsewhere = await stack.enter_async_context(serving_app(other.app()))
        assert await fetch(f"{api}/files/1", api=api) == b"a scan"
        assert await fetch(f"{elsewhere}/files/1", api=api) == b""
        slack.onward = f"{elsewhere}/files/1"
        await fetch(f"{api}/files/1", api=api)

    assert slack.seen == [f"Bearer {TOKEN}"] * 2
    assert other.seen == [None]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://files.slack.com/a",
        "https://slack.com.example.org/a",
        "https://notslack.com/a",
        "https://files.slack.com@127.0.0.1:1/a",
        "http://127.0.0.1:1/a",
    ],
)
async def test_a_file_at_an_address_that_is_not_slacks_is_not_fetched(address: str) -> None:
    assert await fetch(address, api="https://slack.com") == b""
