"""The page that checks receipts and case files, in a browser without a network: it accepts what verify.py accepts."""

from __future__ import annotations

import io
import json
import runpy
import zipfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

import amends.privacy
from amends.privacy.data_export import receipt_archive
from complaints.actions.registry import ACTIONS
from complaints.vocabulary import State, Verb
from store.cases.export import export_record
from store.proof.log import add_checkpoint, add_cosignature, add_receipt, prove
from store.proof.notes import Signer, split_note
from store.store import Store
from tests.browser.accessibility import violations
from tests.edges.desk import Desk
from tests.edges.forged_proofs import SEED, draw_forgeries, issued_pairs, log_key
from tests.edges.reports.test_case_file import filed

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILE = Path(amends.privacy.__file__).with_name("verify.html")
SCRIPT = Path(__file__).parents[2] / "docs" / "verify.py"
LANGUAGES = ("en", "de", "es", "tr")
WITNESS = Signer("witness.example", bytes(range(1, 33)), is_witness=True)
#: The check itself, for many forgeries; the other tests use the page as a person does.
CHECK = """async ([documents, keys]) => {
    const report = await checkAll(documents, keys);
    return [report.refused && report.refused.reason, report.points.map((point) => point.id)];
}"""
IDS = """() => Object.fromEntries(Object.entries(TEXTS).map(([language, texts]) => [language, Object.keys(texts)]))"""
FOCUSED = "() => document.activeElement.id"
OUTLINE = """() => parseFloat(getComputedStyle(
    document.activeElement.id === "files" ? document.querySelector("label[for=files]") : document.activeElement
).outlineWidth)"""
SMALL_TARGETS = """() => [...document.querySelectorAll("select, button, label.button, summary, textarea")]
    .filter((part) => part.offsetParent).map((part) => part.getBoundingClientRect())
    .filter((box) => box.width < 44 || box.height < 44).length"""


@pytest_asyncio.fixture(loop_scope="session")
async def offline(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A narrow phone without a network; a request or an error in the page's script fails the test."""
    context = await browser.new_context(viewport={"width": 320, "height": 700}, locale="en-GB", offline=True)
    faults: list[str] = []
    context.on("request", lambda sent: None if sent.url == FILE.as_uri() else faults.append(sent.url))
    context.on("weberror", lambda error: faults.append(str(error.error)))
    yield context
    await context.close()
    assert faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def verify_page(offline: BrowserContext) -> Page:
    page = await offline.new_page()
    await page.goto(FILE.as_uri())
    return page


def documents(*contents: Any) -> list[dict[str, str]]:
    return [
        {"name": str(n), "text": content if isinstance(content, str) else json.dumps(content, default=str)}
        for n, content in enumerate(contents)
    ]


async def choose(page: Page, files: Mapping[str, bytes]) -> None:
    """Choose these files, as a person does, and wait until the page lists them."""
    payloads: list[Any] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files.items()
    ]
    before = await page.locator("#chosen li").count()
    await page.set_input_files("#files", payloads)
    await page.locator("#chosen li").nth(before).wait_for()


async def verdict(page: Page) -> str:
    """Press the button; the answer has the focus, so that a screen reader reads it."""
    await page.click("#check")
    await page.wait_for_function(f"({FOCUSED})() === 'verdict'")
    return await page.inner_text("#result")


async def test_no_forgery_of_a_receipt_and_its_case_file_is_accepted(
    usual_store: Store, verify_page: Page
) -> None:
    pairs, key = issued_pairs(usual_store), log_key(usual_store)

    async def reason(receipt: Any, case: Any) -> str | None:
        # In both orders: the page does not depend on the order of the files.
        first, _ = await verify_page.evaluate(CHECK, [documents(receipt, case), key])
        second, _ = await verify_page.evaluate(CHECK, [documents(case, receipt), key])
        assert (first is None) is (second is None)
        return str(first) if first else None

    assert [await reason(*pair) for pair in pairs] == [None] * 4
    assert [await reason(pairs[n][0], pairs[n ^ 1][1]) for n in range(4)] == ["no_receipt"] * 4
    seed, forgeries = draw_forgeries(pairs, 40)
    print(f"{len(forgeries)} forgeries from the seed {seed}")
    accepted = [change for change, receipt, case in forgeries if await reason(receipt, case) is None]
    assert accepted == []


async def test_what_no_event_records_may_differ(usual_store: Store, verify_page: Page) -> None:
    receipt, case = issued_pairs(usual_store)[0]
    changed = documents(receipt, case | {"severity": "another"})
    refused, points = await verify_page.evaluate(CHECK, [changed, log_key(usual_store)])
    assert (refused, "others" in points) == (None, True)


async def test_what_can_be_read_in_two_ways_is_refused(usual_store: Store, verify_page: Page) -> None:
    receipt, case = issued_pairs(usual_store)[0]
    whole = json.dumps(case)
    for forged in (
        '{"state": "closed", ' + whole[1:],
        whole.replace('"seq": 1,', '"seq": 1.0,', 1),
        whole.replace('"seq": 1,', '"seq": 01,', 1),
        whole + "{}",
        whole[:-1],
        "\ufeff" + whole,
        "[" * 100_000,
    ):
        refused, _ = await verify_page.evaluate(CHECK, [documents(receipt, forged), log_key(usual_store)])
        assert refused, forged[:40]
    for end in ("", " \n", "\r\n", "\n\n"):
        promise = str(receipt["promise"])[:-1] + end
        forged_receipt = receipt | {"promise": promise}
        refused, _ = await verify_page.evaluate(
            CHECK, [documents(forged_receipt, case), log_key(usual_store)]
        )
        assert refused, end


async def test_a_key_is_needed_and_a_witness_counts(usual_store: Store, verify_page: Page) -> None:
    ref = Desk(usual_store).assessed()
    usual_store.write(add_receipt, ref, SEED)
    saved, _ = usual_store.write(add_checkpoint, SEED)
    assert saved is not None
    cosigned = WITNESS.cosign(split_note(saved.note)[0], 1_800_000_000)
    usual_store.write(add_cosignature, saved.size, WITNESS.name, cosigned)
    receipt = usual_store.read(prove, ref, SEED) | {"promise": None}
    case = usual_store.read(export_record, ref)
    log, witness = log_key(usual_store), str(WITNESS.verifier)
    answers = {}
    for keys in ("", "no key", Signer("other", SEED).verifier, log, witness, f"{log}\n{witness}"):
        refused, points = await verify_page.evaluate(CHECK, [documents(receipt, case), str(keys)])
        answers[str(keys)] = (refused, points.count("signed_by"), points.count("unknown_signer"))
    assert [*answers.values()] == [
        ("no_key", 0, 2),
        ("bad_key", 0, 0),
        ("wrong_key", 0, 2),
        (None, 1, 1),
        (None, 1, 1),
        (None, 2, 0),
    ]
    forged = receipt | {
        "checkpoint": receipt["checkpoint"].replace(f"\n{saved.size}\n", f"\n{saved.size + 1}\n")
    }
    refused, _ = await verify_page.evaluate(CHECK, [documents(forged, case), witness])
    assert refused == "bad_signature"
    for file in ([receipt], [receipt["checkpoint"]]):
        refused, _ = await verify_page.evaluate(CHECK, [documents(*file), log])
        assert refused is None


async def test_a_person_checks_the_zip_of_the_chat_with_the_pdf_of_the_case(
    usual_store: Store, verify_page: Page
) -> None:
    page, desk = verify_page, Desk(usual_store)
    ref = desk.assessed()
    assert "Choose your files first." in await verdict(page)
    received, _ = receipt_archive(usual_store, ref, SEED)
    await choose(page, {"receipt.zip": received})
    assert (await page.input_value("#keys")).strip() == log_key(usual_store)
    text = await verdict(page)
    assert "The signature is genuine" in text
    assert "What happened: add the case file." in text
    await choose(page, {"case.pdf": filed(usual_store, ref)})
    text = await verdict(page)
    assert "The record is what was signed" in text
    assert "After these entries the complaint is: read and assessed." in text
    assert "Compare both with those from another source." in text
    await page.click("#remove")
    desk.act(ref, Verb.NOTE, words={"text": "Later."})
    await choose(page, {"receipt.zip": received, "case.pdf": filed(usual_store, ref)})
    assert "are not signed: add a newer receipt" in await verdict(page)
    with zipfile.ZipFile(io.BytesIO(received)) as packed:
        assert packed.read("verify.html") == FILE.read_bytes()


async def test_the_page_is_accessible_in_every_language_and_colour_scheme(
    usual_store: Store, browser: Browser
) -> None:
    receipt, case = issued_pairs(usual_store)[0]
    for scheme in ("light", "dark"):
        context = await browser.new_context(
            viewport={"width": 320, "height": 700},
            color_scheme=scheme,  # type: ignore[arg-type]
            locale="tr-TR",
        )
        page = await context.new_page()
        await page.goto(FILE.as_uri())
        assert await page.get_attribute("html", "lang") == "tr"
        for data in (receipt, case):
            await choose(page, {"file.json": json.dumps(data, default=str).encode()})
        for language in LANGUAGES:
            await page.select_option("#language", language)
            assert await page.get_attribute("html", "lang") == language
            for key in ("", log_key(usual_store)):
                await page.fill("#keys", key)
                answer = await verdict(page)
                assert ("✓" in answer) is bool(key)
                assert await violations(page) == []
                assert await page.evaluate("document.documentElement.scrollWidth") <= 320
                assert await page.evaluate(SMALL_TARGETS) == 0
                assert "{" not in await page.inner_text("body")
        await page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
        await page.reload()
        reached = []
        for _ in range(4):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate(FOCUSED))
            assert await page.evaluate(OUTLINE) >= 2
        assert reached == ["language", "files", "keys", "check"]
        await context.close()


async def test_another_language_of_the_browser_gets_english(browser: Browser) -> None:
    context = await browser.new_context(locale="fr-FR")
    page = await context.new_page()
    await page.goto(FILE.as_uri())
    assert await page.get_attribute("html", "lang") == "en"
    await context.close()


async def test_every_text_is_there_in_four_languages_and_used(verify_page: Page) -> None:
    ids = await verify_page.evaluate(IDS)
    assert set(ids) == set(LANGUAGES)
    assert {tuple(sorted(names)) for names in ids.values()} == {tuple(sorted(ids["en"]))}
    states = await verify_page.evaluate(
        "() => Object.values(TEXTS).map((texts) => Object.keys(texts.states))"
    )
    assert all(set(names) == {state.value for state in State} for names in states)
    rest = FILE.read_text(encoding="utf-8").partition("// --- The check ---")
    used = rest[0].partition("<script>")[0] + rest[2]
    assert [name for name in ids["en"] if f'"{name}"' not in used and f".{name}" not in used] == []


async def test_the_page_knows_the_moves_of_every_act_and_the_messages(verify_page: Page) -> None:
    script = runpy.run_path(str(SCRIPT))
    assert await verify_page.evaluate("() => MESSAGES") == [*script["MESSAGES"]]
    pairs = [[source.value, verb.value] for verb, action in ACTIONS.items() for source in action.moves.ways]
    after = await verify_page.evaluate(
        "(pairs) => pairs.map(([from, verb]) => statesAfter(from, verb))", pairs
    )
    assert [sorted(ways) for ways in after] == [sorted(script["states_after"](*pair)) for pair in pairs]


async def test_the_page_is_short_enough_to_read() -> None:
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 600
