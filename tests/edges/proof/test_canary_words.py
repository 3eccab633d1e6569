"""Words that occur once are looked for in every byte that a desk at log level debug writes, also when it fails."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.clauses import clause
from tests.edges.bare_platforms import PERSON, Bare, bare
from tests.edges.product import Product, until
from tests.edges.running.test_run import HANDLER, RESOLVED, first_card, resolve_in_slack

#: In the complaint, in the writer's name, in an update that cannot be handled, in one that meets a failing database,
#: and in what staff write.
STORY, NAME, BROKEN = "vorgzlqumbaft", "Zyqpemturvand", "dwarbexiklomp"
FAILING, STAFF, NUMBER = "plonkwivyradge", "skrimtolbnuxer", "QXW-88314-ZK-7"
WORDS = (STORY, NAME, BROKEN, FAILING, STAFF, NUMBER)
#: The words of events to come have a row already.
_FAIL = (
    "INSERT INTO texts (ref, seq, field, role, at) SELECT c.ref, n.value, f.value, 'x', c.received_at "
    "FROM complaints c, json_each('[6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]') n, "
    'json_each(\'["description", "addition"]\') f '
    "WHERE n.value > (SELECT max(e.seq) FROM events e WHERE e.ref = c.ref)"
)


def says(platform: Bare, text: str) -> None:
    """A message of a person with a name to look for."""
    writer = {"id": PERSON, "is_bot": False, "first_name": NAME}
    chat = {"id": PERSON, "type": "private", "first_name": NAME}
    number = next(platform.numbers)
    platform.update(message={"message_id": number, "date": 1, "chat": chat, "from": writer, "text": text})


def forms(word: str) -> set[bytes]:
    """How a word may be written: plain in any case, in UTF-16, and in base64 at each of its three offsets."""
    raw = word.encode()
    shifted = {base64.b64encode(bytes(n) + raw)[4 if n else 0 : -4] for n in range(3)}
    return {raw.lower(), word.lower().encode("utf-16-le"), *(part.lower() for part in shifted)}


def places(words: Sequence[str], folder: Path) -> list[tuple[str, str]]:
    """Every file below the folder that holds one of these words."""
    files = {file: file.read_bytes().lower() for file in folder.rglob("*") if file.is_file()}
    return [
        (file.name, word)
        for file, content in files.items()
        for word in words
        if any(form in content for form in forms(word))
    ]


@clause("4.9")
async def test_no_word_of_a_person_is_in_any_byte_that_the_desk_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RESOLVED, "done", ("plain_text_input", f"We {STAFF} sent it back."))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    async with bare() as platform:
        product = Product(tmp_path, {**platform.env, "TMPDIR": str(temporary)})
        database = tmp_path / "amends.db"
        async with product.running() as desk:
            await product.ready()
            says(platform, f"My {STORY} bill {NUMBER} is wrong, you charged me twice for March.")
            await platform.receives("Your reference is")
            platform.update(message={"message_id": 1, "text": BROKEN, "chat": {"first_name": NAME}})
            await until(lambda: "set_aside" in product.log, lambda: product.log)
            await platform.presses("Done")
            await platform.presses("Skip")
            await platform.presses("Money back")
            await platform.presses("Send")
            await platform.receives("We have your complaint")
            with closing(sqlite3.connect(database, timeout=30, autocommit=True)) as other:
                other.execute(_FAIL)
                says(platform, f"And the {FAILING} too.")
                await until(lambda: product.log.count("set_aside") > 1, lambda: product.log)
                other.execute("DELETE FROM texts WHERE role = 'x'")
            platform.slack_says["views.open"] = {"ok": False, "error": "invalid_arguments"}
            ref = (await product.amends("case", "list", "--json")).json["cases"][0]["ref"]
            card = await first_card(platform, product)
            await platform.clicks(HANDLER, card, "case.open", ref)
            await until(lambda: "invalid_arguments" in product.log, lambda: product.log)
            platform.slack_says.clear()
            await resolve_in_slack(platform, product, ref)
            await platform.receives("our decision")
            async with httpx.AsyncClient(trust_env=False) as caller:
                for page in ("metrics", "readyz", "healthz", ""):
                    answer = await caller.get(f"{product.url}/{page}")
                    (tmp_path / f"page-{page}").write_bytes(answer.content)
            values = (
                "source=idea",
                f"owner={HANDLER}",
                "due=2099-12-01",
                f"what=Ask {NAME} about the {STORY} bill",
            )
            fields = [part for value in values for part in ("--set", value)]
            assert (await product.amends("register", "add", "improvement", *fields)).code == 0
            assert (await product.amends("db", "backup", "copy.db")).code == 0
            found = places(WORDS, tmp_path)
            shown = await product.amends("case", "show", ref, "--json")
            code = await product.stop(desk)
        found += places(WORDS, tmp_path)

    assert (code, found) == (0, [])
    assert {path.name for path in tmp_path.iterdir()} >= {"amends.db", "copy.db", "log", "page-metrics"}
    # The search finds what is there.
    (tmp_path / "record").write_text(shown.out)
    (tmp_path / "base64").write_bytes(base64.b64encode(f"x{NAME}".encode()))
    assert {word for _, word in places(WORDS, tmp_path)} == {STORY, NAME, STAFF, NUMBER}
    assert "Traceback" not in product.log
