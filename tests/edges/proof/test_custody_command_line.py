"""`amends db`, `import` and `privacy` as separate processes: what they print, and their exit codes.

The subject is the command line; test_store_* tests the store on both databases. Tests marked `on_both` also run the
commands on PostgreSQL.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from complaints.vocabulary import Verb
from store.cases.read import load_history
from store.custody.erasure import find_person, list_unerased
from store.proof.hash_chain import list_instance_events
from store.proof.notes import Checkpoint, Signer
from store.tables import PEOPLE
from tests.edges.desk import MANAGER, Desk
from tests.edges.product import KEY, Product
from tests.edges.product_desk import desk_of

NEW_KEY = base64.b64encode(bytes(range(32, 64))).decode()


@pytest.fixture
def desk(product: Product) -> Iterator[Desk]:
    """A desk that works on it, years ago."""
    with desk_of(product, datetime(2020, 3, 4, 10, tzinfo=UTC)) as opened_desk:
        yield opened_desk


async def test_a_backup_is_made_verified_and_restored_into_another_database(
    product: Product, desk: Desk
) -> None:
    ref = desk.closed()
    backup = await product.amends("db", "backup", "copy.db")
    assert (backup.code, backup.err) == (0, "")
    assert "1 complaint," in backup.out
    assert "amends db verify --backup copy.db" in backup.out
    assert "The keys are not in it" in backup.out
    again = await product.amends("db", "backup", "copy.db")
    assert (again.code, "--force" in again.err) == (1, True)
    forced = await product.amends("db", "backup", "copy.db", "--force", "--json")
    assert forced.json["complaints"] == 1
    checked = await product.amends("db", "verify", "--backup", "copy.db", "--json")
    assert (checked.code, checked.json["well"], checked.json["cases"]) == (0, True, 1)
    elsewhere = {"AMENDS_DATABASE_URL": f"sqlite:///{product.folder / 'new.db'}"}
    restored = await product.amends("db", "restore", "copy.db", env=elsewhere)
    assert (restored.code, "The record is consistent; removal of whole complaints" in restored.out) == (
        0,
        True,
    )
    case = await product.amends("case", "show", ref, "--json", env=elsewhere)
    assert case.json["description"] == "The water is brown."
    twice = await product.amends("db", "restore", "copy.db", "--yes", env=elsewhere)
    assert (twice.code, "empty database" in twice.err) == (1, True)
    chain = [facts["facts"] for facts in desk.store.read(list_instance_events, "backup")]
    assert [facts["size"] > 0 for facts in chain] == [True, True]


async def test_verify_says_what_it_compared_with_and_calls_nothing_whole_without_an_anchor(
    product: Product, desk: Desk
) -> None:
    desk.receive()
    key = {"AMENDS_SIGNING_KEY": base64.b64encode(bytes(32)).decode()}
    assert (await product.amends("db", "checkpoint", "log.txt", env=key)).code == 0
    size = int((product.folder / "log.txt").read_text(encoding="utf-8").split("\n")[1])
    alone = await product.amends("db", "verify")
    assert "Consistent; removal of whole complaints cannot be excluded" in alone.out
    assert (alone.code, "No damage was found" in alone.out) == (0, False)
    compared = await product.amends("db", "verify", "--checkpoint", "log.txt")
    assert f"Compared with: checkpoint kept outside ({size} entries of the log)" in compared.out
    data = await product.amends("db", "verify", "--checkpoint", "log.txt", "--json")
    assert data.json["compared_with"] == [{"what": "checkpoint kept outside", "size": size}]


async def test_verify_detects_a_forged_checkpoint_and_a_log_that_was_rolled_back(
    product: Product, desk: Desk
) -> None:
    ref = desk.receive()
    key = {"AMENDS_SIGNING_KEY": base64.b64encode(bytes(32)).decode()}
    assert (await product.amends("db", "checkpoint", "log.txt", env=key)).code == 0
    proved = [await product.amends(*words, ref, env=key) for words in (("prove",), ("db", "prove"))]
    assert proved[0].json["proof"] == proved[1].json["proof"]
    well = await product.amends("db", "verify", "--checkpoint", "log.txt", "--json", env=key)
    assert well.json["well"] is True
    file = product.folder / "log.txt"
    note = file.read_text(encoding="utf-8")
    size = note.split("\n")[1]
    file.write_text(note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n"), encoding="utf-8")
    forged = await product.amends("db", "verify", "--checkpoint", "log.txt", "--json", env=key)
    assert (forged.code, forged.json["first_bad"]["why"]) == (
        1,
        "no key of this desk and no known witness signed it",
    )
    longer = Checkpoint(note.split("\n")[0], int(size) + 1, bytes(32)).body()
    signer = Signer(note.split("\n")[0], bytes(32))
    file.write_text(f"{longer}\n{signer.sign(longer)}\n", encoding="utf-8")
    shorter = await product.amends("db", "verify", "--checkpoint", "log.txt", env=key)
    assert (shorter.code, "was rolled back" in shorter.out) == (1, True)
    file.write_text("[]")
    other = await product.amends("db", "verify", "--checkpoint", "log.txt")
    assert (other.code, "no signed note" in other.out) == (1, True)


@pytest.mark.on_both
async def test_the_key_is_changed_in_three_steps(product: Product, desk: Desk) -> None:
    ref = desk.receive()
    alone = await product.amends("db", "rotate-key")
    assert (alone.code, "holds one key only" in alone.err) == (2, True)
    both = {"AMENDS_SECRET_KEY": f"{NEW_KEY},{KEY}"}
    table, person = PEOPLE.c, desk.store.read(find_person, ref)
    key = desk.store.read(lambda tx: tx.connection.execute(select(table.key_wrapped)).scalar_one())
    for value, code in ((b"none" + key[4:], 1), (key, 0)):
        change = update(PEOPLE).values(key_wrapped=value)
        desk.store.write(lambda tx, change=change: tx.connection.execute(change))
        done = await product.amends("db", "rotate-key", env=both)
        assert (done.code, f"no key of AMENDS_SECRET_KEY opens it: people {person}" in done.out) == (
            code,
            code == 1,
        )
    assert (done.code, "nothing is encrypted with an older key" in done.out) == (0, True)
    new = {"AMENDS_SECRET_KEY": NEW_KEY}
    case = await product.amends("case", "show", ref, "--json", env=new)
    assert case.json["description"] == "The water is brown."
    assert (await product.amends("db", "verify", env=new)).code == 0
    old = await product.amends("case", "show", ref)
    assert (old.code, "AMENDS_SECRET_KEY" in old.err) == (1, True)


PAST = """received_at;description;closed_at;close_code;channel;category
2021-03-01;The bill was wrong.;2021-03-20;resolved;phone;money
2021-04-01;Nobody came.;2021-04-11;resolved;letter;service
"""


@pytest.mark.on_both
async def test_past_complaints_are_imported_all_or_none_and_only_once(product: Product, desk: Desk) -> None:
    file = product.folder / "past.csv"
    file.write_text(PAST + "2021-05-01;No heating.;;resolved;fax;service\n")
    refused = await product.amends("import", "past.csv")
    assert refused.code == 1
    assert "line 4: closed_at: is empty; channel: write one of" in refused.out
    assert "nothing was imported" in refused.err
    file.write_text(PAST)
    dry = await product.amends("import", "past.csv", "--dry-run", "--json")
    assert (dry.code, dry.json["imported"], dry.json["refused"], dry.json["rows"]) == (0, [], [], 2)
    assert (await product.amends("case", "list", "--json")).json["cases"] == []
    done = await product.amends("import", "past.csv", "--json")
    assert [row["line"] for row in done.json["imported"]] == [2, 3]
    again = await product.amends("import", "past.csv")
    assert (again.code, "Imported before: 2." in again.out, "0 imported." in again.out) == (0, True, True)
    assert (await product.amends("db", "verify")).code == 0


async def test_a_polish_file_in_an_old_code_page_keeps_its_letters(product: Product, desk: Desk) -> None:
    words = "Nieprawidłowy rachunek za wodę, proszę o zwrot pieniędzy."
    row = f"2021-03-01;{words};2021-03-20;resolved;phone;money\n"
    (product.folder / "past.csv").write_bytes((PAST.splitlines()[0] + "\n" + row).encode("cp1250"))
    result = await product.amends("import", "past.csv", "--json")
    assert (result.code, result.json["encoding"]) == (0, "cp1250")
    (imported,) = result.json["imported"]
    case = await product.amends("case", "show", imported["ref"], "--json")
    assert case.json["description"] == words


async def test_a_file_that_cannot_be_imported_is_refused_with_the_remedy(
    product: Product, desk: Desk
) -> None:
    files = {
        "is empty": b"",
        "Excel workbook": b"PK\x03\x04" + bytes(100),
        "cannot be recognised": (PAST + "請求書が間違っています。返金してください。\n" * 9).encode("cp932"),
        "quotation mark left open": (PAST + '2021-05-01;"No heating.\n').encode(),
        "line 6 is not": (PAST + "Ä\nÖ\n").encode() + b"\xfc\n",
    }
    for message, content in files.items():
        (product.folder / "past.csv").write_bytes(content)
        result = await product.amends("import", "past.csv")
        assert (result.code, message in result.err, "Traceback" in result.err) == (1, True, False), result.err
    (product.folder / "past.csv").write_text(PAST.replace("category", "channel"))
    result = await product.amends("import", "past.csv")
    assert (result.code, "has this column twice" in result.err) == (2, True)


@pytest.mark.on_both
async def test_a_nul_byte_in_a_text_is_imported_as_a_space(product: Product, desk: Desk) -> None:
    (product.folder / "past.csv").write_bytes(PAST.replace("bill was", "bill\x00was").encode())
    result = await product.amends("import", "past.csv", "--json")
    case = await product.amends("case", "show", result.json["imported"][0]["ref"], "--json")
    assert case.json["description"] == "The bill was wrong."


async def test_a_file_with_unknown_columns_asks_for_a_mapping(product: Product) -> None:
    (product.folder / "past.csv").write_text("a,b\n1,2\n")
    ended = await product.amends("import", "past.csv")
    assert (ended.code, "--map" in ended.err, "Traceback" in ended.err) == (2, True, False)


async def test_an_erasure_prints_what_was_erased_what_is_kept_and_why(product: Product, desk: Desk) -> None:
    on_hold, erased = desk.closed(), desk.closed()
    desk.act(on_hold, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    wordy = await product.amends("privacy", "erase", "--complainant", erased, "--reason", "Mary asked")
    assert (wordy.code, desk.store.read(list_unerased, [erased])) == (2, [erased])
    ended = await product.amends("privacy", "erase", "--complainant", erased, "--reason", "DSR-1", "--yes")
    assert ended.code == 1
    assert f"erased  {erased}" in ended.out
    assert (
        f"kept    {on_hold}: a claim or the law needs it (legal hold); until the hold ends or is released."
        in ended.out
    )
    assert "ico.org.uk" in ended.out
    assert desk.store.read(load_history, erased)[-1].facts["because"] == "DSR-1"
    desk.act(on_hold, Verb.RELEASE, MANAGER, words={"reason": "Settled."})
    rest = await product.amends(
        "privacy", "erase", "--complainant", on_hold, "--reason", "DSR-1", "--yes", "--json"
    )
    assert (rest.code, rest.json["erased"], rest.json["person_erased"]) == (0, [on_hold], True)
    listed = (product.folder / "erasures.jsonl").read_text().splitlines()
    assert [json.loads(line)["ref"] for line in listed] == [erased, on_hold]


async def test_a_purge_can_be_previewed_before_it_is_done(product: Product, desk: Desk) -> None:
    ref = desk.closed()
    kept = await product.amends("privacy", "purge")
    assert (kept.code, "Every complaint is kept: [privacy] retention is not set." in kept.err) == (0, True)
    settings = product.folder / "amends.toml"
    settings.write_text(settings.read_text() + '\n[privacy]\nretention = "24 months"\n')
    dry = await product.amends("privacy", "purge", "--dry-run", "--json")
    assert [row["ref"] for row in dry.json["purged"]] == [ref]
    assert dry.json["purged"][0]["purge_due"].startswith("2022-03-04T")
    assert desk.store.read(list_unerased, [ref]) == [ref]
    done = await product.amends("privacy", "purge", "--yes")
    assert (done.code, "1 gone, 0 held back." in done.out) == (0, True)
    assert desk.store.read(list_unerased, [ref]) == []


async def test_a_restore_repeats_the_erasures_that_came_after_the_backup(
    product: Product, desk: Desk
) -> None:
    ref = desk.closed()
    await product.amends("db", "backup", "copy.db")
    await product.amends("privacy", "erase", "--complainant", ref, "--reason", "DSR-1", "--yes")
    elsewhere = {"AMENDS_DATABASE_URL": f"sqlite:///{product.folder / 'new.db'}"}
    restored = await product.amends("db", "restore", "copy.db", "--json", env=elsewhere)
    assert restored.json["erased_again"] == [ref]
    case = await product.amends("case", "show", ref, "--json", env=elsewhere)
    assert case.json["description"] is None


async def test_without_a_yes_an_erasure_shows_what_would_go_and_does_nothing(
    product: Product, desk: Desk
) -> None:
    ref, still_open = desk.closed(), desk.receive("Open still.")
    for answer in (None, "n\n"):
        ended = await product.amends(
            "privacy", "erase", "--complainant", ref, "--reason", "DSR-1", stdin=answer
        )
        assert (ended.code, desk.store.read(list_unerased, [ref])) == (1, [ref])
        assert f"will be erased  {ref}" in ended.err
        assert f"will be kept    {still_open}: it is still being handled" in ended.err
        assert "texts" in ended.err
        assert "Nothing was erased" in ended.err
    assert not (product.folder / "erasures.jsonl").exists()
    answered = await product.amends(
        "privacy", "erase", "--complainant", ref, "--reason", "DSR-1", stdin="y\n"
    )
    assert f"erased  {ref}" in answered.out


async def test_an_erasure_leaves_a_receipt_of_counts_and_codes(product: Product, desk: Desk) -> None:
    ref = desk.closed()
    await product.amends("privacy", "export", "--complainant", ref, "-o", "copy.zip")
    done = await product.amends(
        "privacy", "erase", "--complainant", ref, "--reason", "DSR-1", "--yes", "--json"
    )
    counts = done.json["counts"]
    assert (counts["texts"] > 0, counts["persons"], counts["exports"]) == (True, 1, 1)
    assert "were written here, 1 in all: delete them yourself" in done.err
    listed = await product.amends("privacy", "receipts")
    (receipt,) = listed.json
    assert (receipt["right"], receipt["because"], receipt["complaints"]) == ("request", "DSR-1", 1)
    assert receipt["texts"] == counts["texts"]
    assert "Sealedname" not in listed.out


async def test_a_purge_asks_first_leaves_a_receipt_and_lists_its_erasures_for_backups(
    product: Product, desk: Desk
) -> None:
    ref = desk.closed()
    settings = product.folder / "amends.toml"
    settings.write_text(settings.read_text() + '\n[privacy]\nretention = "24 months"\n')
    asked = await product.amends("privacy", "purge")
    assert (asked.code, desk.store.read(list_unerased, [ref])) == (1, [ref])
    done = await product.amends("privacy", "purge", "--yes")
    assert (done.code, "Receipt: " in done.out) == (0, True)
    (receipt,) = (await product.amends("privacy", "receipts")).json
    assert (receipt["right"], receipt["complaints"]) == ("retention", 1)
    assert json.loads((product.folder / "erasures.jsonl").read_text())["ref"] == ref


async def test_a_person_without_a_complaint_is_erased_again_after_a_restore(
    product: Product, desk: Desk
) -> None:
    desk.send_reply("hello")
    person = desk.store.read(lambda tx: tx.connection.execute(select(PEOPLE.c.id)).scalar_one())
    await product.amends("db", "backup", "copy.db")
    ended = await product.amends("privacy", "erase", "--complainant", person, "--reason", "DSR-1", "--yes")
    assert ended.code == 0
    elsewhere = {"AMENDS_DATABASE_URL": f"sqlite:///{product.folder / 'new.db'}"}
    assert (await product.amends("db", "restore", "copy.db", env=elsewhere)).code == 0
    gone = await product.amends("privacy", "export", "--complainant", person, "-o", "x.zip", env=elsewhere)
    assert (gone.code, "were erased" in gone.err) == (1, True)


async def test_a_complaint_under_hold_outlives_erasure_and_purge_until_the_hold_ends(
    product: Product, desk: Desk
) -> None:
    ref = desk.closed()
    person = desk.store.read(find_person, ref)
    limited = await product.amends("privacy", "restrict", person, "--reason", "She disputes it.")
    assert (limited.code, limited.out) == (0, f"{ref}: processing restricted.\n")
    ended = await product.amends("privacy", "restrict", ref, "--reason", "Corrected.", "--release")
    assert (ended.code, ended.out) == (0, f"{ref}: processing allowed again.\n")
    put = await product.amends("privacy", "hold", ref, "--reason", "A claim.", "--until", "2099-01-31")
    assert (put.code, f"{ref}: under legal hold until 2099-01-31." in put.out) == (0, True)
    erase = ("privacy", "erase", "--complainant", ref, "--reason", "DSR-1", "--yes")
    kept = await product.amends(*erase)
    assert (kept.code, "legal hold" in kept.out) == (1, True)
    event = desk.store.read(load_history, ref)[-1]
    assert (event.verb, event.by, event.facts["hold_until"]) == (Verb.HOLD, "operator", "2099-01-31")
    again = await product.amends("privacy", "hold", ref, "--reason", "Less.", "--until", "2020-05-01")
    assert again.code == 0
    assert (await product.amends(*erase)).code == 0
    assert (await product.amends("db", "verify")).code == 0


@pytest.mark.on_both
async def test_vacuum_writes_every_table_again(product: Product, desk: Desk) -> None:
    desk.closed()
    ended = await product.amends("db", "vacuum")
    assert (ended.code, "written again" in ended.err) == (0, True)
    assert (await product.amends("db", "verify")).code == 0
