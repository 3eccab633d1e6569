"""Words of complainants translated for staff by a command or a service of the operator."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from amends.documents.case_file.case_file import for_subject
from amends.documents.case_file.record_view import RecordView
from amends.documents.case_file.record_words import record_words
from amends.documents.labels import load_labels
from amends.privacy.data_export import archive
from amends.runtime.programs import by_command, by_service, or_none
from amends.settings.sections import TranslatorSettings
from bots.slack.views.timeline import message_blocks
from bots.telegram import machine_words
from bots.telegram.machine_words import Translator
from complaints.vocabulary import Flag
from simulator import Simulator
from simulator.screen import texts_of
from store.cases.erase import erase_words
from store.cases.export import export_case
from store.cases.read import open_case
from store.outbox.failed import list_failed
from store.people.masked_texts import load_masked_story
from store.people.staff import load_actor
from store.record.load import load_texts
from store.store import Store
from store.tables import OBLIGATIONS, TEXTS
from store.values import OpenedCase
from tests.edges.serving import serving_app
from tests.edges.slack.test_recordings import script
from tests.edges.telegram_desk import TelegramDesk, telegram_desk
from tests.rules.slack_cases import voice

UKRAINIAN = "Вже третій день у квартирі немає гарячої води, і ніхто не відповідає на дзвінки."
ENGLISH = "There has been no hot water in the flat for three days and nobody answers the calls."


def translator(command: tuple[str, ...], *reads: str) -> Translator:
    translate = partial(by_command, (*command, "{source}", "{target}"), 20)
    return Translator(partial(or_none, translate), "en", frozenset({"en", *reads}))


def opened(desk: TelegramDesk) -> OpenedCase:
    return desk.store.write(open_case, desk.ref, desk.store.read(load_actor, "U1"), "case")


def lines(case: OpenedCase) -> list[str]:
    return ["\n".join(texts_of([block])) for block in message_blocks(case, voice())]


async def test_a_translation_is_shown_below_the_original_and_goes_and_comes_with_it(
    usual_store: Store, tmp_path: Path
) -> None:
    command = script(tmp_path, f'test "$1$2" = uken && grep -q гарячої && echo "{ENGLISH}"')
    async with (
        Simulator() as sim,
        telegram_desk(sim, usual_store, translator=translator(command)) as desk,
    ):
        await desk.send_story(text=UKRAINIAN)
        await sim.until(lambda: opened(desk).translations, timeout=20)
        case, ref = opened(desk), desk.ref
        shown = lines(case)
        position = next(n for n, line in enumerate(shown) if UKRAINIAN in line)
        assert shown[position + 1] == f"Translated by a machine, not checked:\n{ENGLISH}"
        # It is no message, no answer and no danger, and neither search nor proposals read it instead of the original.
        assert (case.case.words, Flag.DANGER in case.case.flags) == (1, False)
        assert [text.text for text in usual_store.read(load_texts, ref)] == [UKRAINIAN]
        assert usual_store.read(load_masked_story, ref) == UKRAINIAN
        assert usual_store.read(masked_fields, ref) == {"description"}

        whole = usual_store.read(export_case, ref)
        labels = load_labels(("en",), "Europe/London", staff=True)
        for edition in (whole, for_subject(whole)):
            printed = record_words(RecordView(edition.record, labels), edition)["texts"]
            texts = [f"{text['about']}\n{text['text']}" for text in printed]
            place = next(n for n, text in enumerate(texts) if UKRAINIAN in text)
            assert ENGLISH in texts[place + 1]
            assert "A machine translated a message" in texts[place + 1]
        packed = zipfile.ZipFile(io.BytesIO(archive(usual_store, whole.record["complainant"], labels)))
        data = json.loads(packed.read("data.json"))
        assert [(text["by"], text["text"]) for text in data["complaints"][0]["texts"]] == [
            ("you", UKRAINIAN),
            ("translator", ENGLISH),
        ]
        usual_store.write(erase_words, ref)
        sealed = select(TEXTS.c.sealed).where(TEXTS.c.ref == ref)
        assert usual_store.read(lambda tx: set(tx.connection.execute(sealed).scalars())) == {None}


def masked_fields(tx: Any, ref: str) -> set[str]:
    query = select(TEXTS.c.field).where(TEXTS.c.ref == ref, TEXTS.c.masked.is_not(None))
    return set(tx.connection.execute(query).scalars())


async def test_danger_that_only_the_translation_shows_is_answered_in_the_language_of_the_chat(
    usual_store: Store, tmp_path: Path
) -> None:
    command = script(tmp_path, 'echo "there is a smell of gas in my kitchen"')
    async with (
        Simulator() as sim,
        telegram_desk(sim, usual_store, translator=translator(command)) as desk,
    ):
        anna = await desk.send_story(text="У мене на кухні дивний запах, і від нього болить голова.")
        await anna.hears("0800 111 999", timeout=20)
        assert Flag.DANGER in opened(desk).case.flags


async def test_words_that_staff_read_and_buttons_are_not_translated(
    usual_store: Store, tmp_path: Path
) -> None:
    command = script(tmp_path, f"cat; echo >>{tmp_path}/runs")
    async with (
        Simulator() as sim,
        telegram_desk(sim, usual_store, translator=translator(command, "tr")) as desk,
    ):
        anna = await desk.send_story()
        await desk.complete_form(anna)
        await desk.send_story("Ali", "Pazartesiden beri su kahverengi akıyor ve kimse gelmiyor.")
        kinds = select(OBLIGATIONS.c.kind).where(OBLIGATIONS.c.kind == "translate")
        assert usual_store.read(lambda tx: tx.connection.execute(kinds).all()) == []
    assert not (tmp_path / "runs").exists()


async def test_a_translator_that_fails_delays_nothing_and_the_case_says_so(
    usual_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_words, "ATTEMPTS", 1)
    async with (
        Simulator() as sim,
        telegram_desk(sim, usual_store, translator=translator(script(tmp_path, "exit 1"))) as desk,
    ):
        await desk.send_story(text=UKRAINIAN)
        await sim.until(
            lambda: (
                [(row["kind"], row["state"]) for row in usual_store.read(list_failed)]
                == [("translate", "failed")]
            ),
            timeout=20,
        )
        assert any(line.startswith("_This could not be translated.") for line in lines(opened(desk)))


@pytest.mark.parametrize(
    ("status", "answer", "result", "why"),
    [
        (200, {"translatedText": f" {ENGLISH}\n"}, ENGLISH, None),
        (400, {"error": "uk is not supported"}, None, "HTTP 400"),
        (302, {}, None, "HTTP 302"),
        (200, {"translatedText": None}, None, "AttributeError"),
        (200, {}, None, "KeyError"),
        (200, {"translatedText": "x" * 300_000}, None, "its answer is too long"),
        (200, None, None, "TimeoutError"),
    ],
)
async def test_a_service_gets_the_words_and_its_refusals_are_logged_without_words(
    status: int, answer: Mapping[str, Any] | None, result: str | None, why: str | None
) -> None:
    received: list[Mapping[str, Any]] = []

    async def translate(request: Request) -> Response:
        received.append(await request.json())
        if answer is None:
            await asyncio.sleep(3)
        headers = {"location": "https://elsewhere.example/"} if status == 302 else None
        return JSONResponse(answer, status, headers)

    app = Starlette(routes=[Route("/translate", translate, methods=["POST"])])
    async with serving_app(app) as address:
        with capture_logs() as logged:
            translate = partial(by_service, f"{address}/", "key", 1)
            assert await or_none(translate, UKRAINIAN, "uk", "en") == result
    assert received == [{"q": UKRAINIAN, "source": "uk", "target": "en", "format": "text", "api_key": "key"}]
    assert [line["why"] for line in logged] == ([why] if why else [])
    assert "води" not in json.dumps(logged, ensure_ascii=False)


def test_a_service_without_encryption_on_another_machine_is_refused() -> None:
    for wrong in ({"url": "http://translate.example"}, {"url": "https://x.example", "command": ["x"]}):
        with pytest.raises(ValidationError):
            TranslatorSettings.model_validate(wrong)
    assert TranslatorSettings(url="http://127.0.0.1:5000").url == "http://127.0.0.1:5000"
