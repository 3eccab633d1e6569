"""A running desk connects only to what its settings name: every connection of its processes is recorded."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.databases import LONG
from tests.edges.bare_platforms import bare
from tests.edges.product import ROOT, Product, until
from tests.edges.running.test_run import complain, first_card, resolve_in_slack
from tests.edges.serving import serving_app

#: Python runs this file at the start of every process, also of the one that trains the model.
RECORDER = """
import json, os, sys

def record(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"):
        where = arguments[0] if event == "socket.getaddrinfo" else arguments[-1]
        with open(os.environ["CONNECTIONS"], "a") as log:
            log.write(json.dumps([event, repr(where)]) + "\\n")

sys.addaudithook(record)
"""


@asynccontextmanager
async def translator_service() -> AsyncIterator[tuple[str, list[str]]]:
    """The address of a translator, and what it was asked to translate."""
    translated: list[str] = []

    async def translate(request: Request) -> Response:
        translated.append((await request.json())["q"])
        return JSONResponse({"translatedText": "Pazartesiden beri su kahverengi."})

    async with serving_app(Starlette(routes=[Route("/translate", translate, methods=["POST"])])) as address:
        yield address, translated


@pytest.mark.parametrize(
    "learnt",
    [True, pytest.param(False, marks=pytest.mark.skipif(not LONG, reason="trains a model: TESTING=long"))],
)
async def test_a_desk_connects_only_to_the_configured_hosts(tmp_path: Path, learnt: bool) -> None:
    hook, connections = tmp_path / "hook", tmp_path / "connections"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    (tmp_path / "desk").mkdir()
    async with bare() as platform, translator_service() as (translator_url, translated):
        product = Product(tmp_path / "desk", dict(platform.env), learnt=learnt)
        settings = tmp_path / "desk" / "amends.toml"
        translator = f'\n[translator]\nurl = "{translator_url}"\ntarget = "tr"\n'
        settings.write_text(settings.read_text(encoding="utf-8") + translator, encoding="utf-8")
        product.env |= {"CONNECTIONS": str(connections), "PYTHONPATH": f"{hook}{os.pathsep}{ROOT}"}
        async with product.running(from_shell=True) as desk:
            await product.ready()
            await complain(platform)
            ref = (await product.amends("case", "list", "--json")).json["cases"][0]["ref"]
            await first_card(platform, product)
            await resolve_in_slack(platform, product, ref)
            await platform.receives("our decision")
            await until(lambda: bool(translated), lambda: product.log)
            if not learnt:
                await until(lambda: "model_trained" in product.log, lambda: product.log)
            assert await product.stop(desk) == 0
        ports = platform.port, urlsplit(translator_url).port
        allowed = {repr(("127.0.0.1", port)) for port in ports}
    recorded = [json.loads(line) for line in connections.read_text(encoding="utf-8").splitlines()]
    connects = {where for event, where in recorded if event == "socket.connect"}
    looked_up = {
        where for event, where in recorded if event in ("socket.getaddrinfo", "socket.gethostbyname")
    }
    assert connects == allowed
    assert looked_up <= {"'127.0.0.1'"}
    # Without an address of its own a message goes where its socket is connected.
    assert {where for event, where in recorded if event.startswith("socket.send")} <= {"None"}
