"""The command line as a separate process: one JSON document, exact keys, exit codes, never a traceback.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.settings import load, rulebook
from complaints.obligations.kinds import NewObligation
from complaints.vocabulary import Verb
from store.cases.export import export_record
from store.database.keyring import Keyring
from store.outbox.claim import claim
from store.outbox.complete import fail
from store.outbox.failed import keep_dead_letter, list_dead_letters, list_failed
from store.outbox.rows import insert_obligation
from store.rulebooks import use_rulebook
from store.similarity.similar import store_sketch
from tests.databases import FakeClock, opened, tamper
from tests.edges.desk import HANDLER, MANAGER, Desk
from tests.edges.product import KEY, SETTINGS, Ended, Product
from triage.shingles import sketch

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
LONDON_HOURS = SETTINGS.replace('hours = "always"', 'hours = "Mon-Fri 09:00-17:30"')
#: docs/surfaces.md: the keys of the lists of a record.
KEYS: dict[str, set[str]] = {
    "texts": {"field", "seq", "text", "at", "source", "replaces"},
    "targets": {"target", "version", "start", "internal_due", "promised_due", "basis", "met_at"},
    "messages": {"direction", "at", "text", "template", "language", "state", "reason"},
    "events": {"seq", "at", "verb", "by", "role", "clause", "facts", "hash", "entry"},
    "reads": {"by", "role", "at", "what", "reason"},
}
FIELDS = {
    "ref", "state", "version", "work_version", "received_at", "logged_at", "channel", "kind", "is_simulation",
    "jurisdiction", "incident_id", "people", "language", "name", "description", "summary_confirmed",
    "remedy_requested", "confirmed_at", "priority", "category", "severity", "safety", "complexity", "reach",
    "recurrence", "immediate_needed", "immediate_possible", "immediate_action", "compensation_likely",
    "media_heard", "override_reason", "proposal", "text_read_at", "owner", "level", "next_due", "restricted",
    "legal_hold", "subject_staff", "evidence", "others_affected", "root_cause", "cause_class", "reply",
    "reply_at", "reply_reason", "escalations", "external", "recourse_notice_at", "close_code", "closed_by",
    "closed_at", "reopen_count", "links", "issues", "decisions", "remedies", "files", "survey", *KEYS,
}  # fmt: skip


@pytest.fixture
def product(tmp_path: Path, usual_url: str) -> Product:
    """An installation with London's working hours and a migrated database."""
    installation = Product(tmp_path, {"AMENDS_DATABASE_URL": usual_url})
    (tmp_path / "amends.toml").write_text(LONDON_HOURS, encoding="utf-8")
    return installation


@pytest.fixture
def desk_at(product: Product) -> Iterator[Callable[[datetime], Desk]]:
    """Builds a desk on the product's database and rules at the given time."""
    contexts = []

    def build_desk(at: datetime) -> Desk:
        context = opened(product.env["AMENDS_DATABASE_URL"], FakeClock(at), Keyring([base64.b64decode(KEY)]))
        store = context.__enter__()
        contexts.append(context)
        desk = Desk(store)
        store.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
        return desk

    yield build_desk
    for context in contexts:
        context.__exit__(None, None, None)


def no_traceback(*results: Ended) -> None:
    """No command printed a traceback."""
    for result in results:
        assert "Traceback" not in result.err + result.out


def instants(document: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every value that looks like an instant, with its key."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from instants(value, key)
    elif isinstance(document, list):
        for item in document:
            yield from instants(item, name)
    elif isinstance(document, str) and re.match(r"\d{4}-\d\d-\d\dT", document):
        yield name, document


@pytest.mark.on_both
async def test_the_json_record_has_every_documented_key(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    ref = desk_at(datetime(2026, 11, 3, 10, 0, tzinfo=UTC)).closed()
    showing = await product.amends("case", "show", ref.lower().replace("-", " "), "--json")
    listed = await product.amends("case", "list", "--json")
    history = await product.amends("case", "history", ref, "--json")
    record = showing.json

    assert (showing.code, showing.err, listed.code, history.code) == (0, "", 0, 0)
    assert set(record) >= FIELDS
    assert {name: [set(row) >= KEYS[name] for row in record[name]][:1] for name in KEYS} == {
        name: [True] for name in KEYS
    }
    assert [(name, instant) for name, instant in instants(record) if not INSTANT.fullmatch(instant)] == []
    assert [event["seq"] for event in record["events"]] == list(range(1, len(record["events"]) + 1))
    assert {event["verb"] for event in record["events"]} <= {verb.value for verb in Verb}
    assert [event["verb"] for event in record["events"] if not re.fullmatch(r"[a-z_]+", event["verb"])] == []
    assert history.json["events"] == record["events"]
    assert record["reads"][0] == {
        "by": HANDLER, "role": "handler", "at": "2026-11-03T10:00:00Z", "what": "open",
        "reason": None,
    }  # fmt: skip
    assert (record["state"], record["close_code"]) == ("closed", "resolved")
    (row,) = listed.json["cases"]
    assert set(row) == {
        "ref",
        "jurisdiction",
        "state",
        "priority",
        "category",
        "owner",
        "received_at",
        "next_due",
    }
    assert (row["ref"], row["next_due"], listed.json["next"]) == (ref, None, None)


async def test_similar_cases_are_listed_with_the_share_of_common_words(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    desk = desk_at(datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
    story = "Since Monday the water from the kitchen tap is brown and smells of iron."
    first, second = (desk.receive(story, chat=desk.chat(address)) for address in ("70001", "70002"))
    for ref in (first, second):
        desk.store.write(store_sketch, ref, sketch(story))
    listed = await product.amends("case", "list", "--like", first, "--json")
    table = await product.amends("case", "list", "--like", first)
    unknown = await product.amends("case", "list", "--like", "A7K-M3Q-9T")

    assert listed.json == {
        "cases": [
            {
                "ref": second,
                "share": 1.0,
                "received_at": "2026-11-03T10:00:00Z",
                "is_open": True,
                "incident_id": None,
            }
        ],
        "next": None,
    }
    assert (second in table.out, "100%" in table.out) == (True, True)
    assert (unknown.code, "A7K-M3Q-9T" in unknown.err) == (1, True)
    no_traceback(listed, table, unknown)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-03T10:00:00", "2026-11-04T17:30:00Z"),
        ("2026-11-03T17:29:00", "2026-11-04T17:30:00Z"),
        ("2026-11-03T17:30:00", "2026-11-04T17:30:00Z"),
        ("2026-11-03T17:31:00", "2026-11-05T17:30:00Z"),
        ("2026-11-07T12:00:00", "2026-11-10T17:30:00Z"),
    ],
)
def test_one_working_day_is_counted_as_in_the_worked_examples(
    desk_at: Callable[[datetime], Desk], received: str, due: str
) -> None:
    desk = desk_at(datetime.fromisoformat(received).replace(tzinfo=UTC))
    record = desk.store.read(export_record, desk.receive())
    assert {target["target"]: target["internal_due"] for target in record["targets"]}["ack"] == due


async def test_every_due_date_comes_with_its_explanation(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    desk = desk_at(datetime(2026, 12, 24, 10, 0, tzinfo=UTC))
    ref = desk.receive()
    (product.folder / "amends.toml").write_text(
        LONDON_HOURS + '[targets]\nack = "2 bd"\n[targets.P3]\nfirst_action = "2 bd"\n', encoding="utf-8"
    )
    desk.store.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
    other = desk.receive(source="9")
    before = (await product.amends("case", "due", ref, "--json")).json
    after = (await product.amends("case", "due", other, "--json")).json
    dues = {target["target"]: target for target in after["targets"]}

    assert after["ref"] == other
    assert dues["ack"]["internal_due"] == "2026-12-30T17:30:00Z"
    assert dues["first_action"]["internal_due"] == "2026-12-30T17:30:00Z"
    assert any("Christmas" in line for line in dues["ack"]["because"])
    assert {target["target"]: target["span"] for target in before["targets"]}["ack"] == "1 bd"


async def test_an_extension_is_explained_with_its_reason_and_showing_it_is_a_recorded_read(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    desk = desk_at(datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
    ref = desk.assessed()
    later = {"target": "first_action", "extended_to": "2026-11-12"}
    desk.act(ref, Verb.EXTEND, MANAGER, later, {"reason": "Two more [b]readings[/b].\x1b[2J"})
    printed = await product.amends("case", "due", ref)
    rows = (await product.amends("case", "due", ref, "--json")).json["targets"]
    moved = next(row for row in rows if row["basis"] == "extend")

    assert "Reason: Two more [b]readings[/b].\ufffd[2J" in printed.out
    assert printed.out.startswith("acknowledgement, version 1: Wed 04 Nov 2026 17:30")
    assert "superseded" in printed.out
    assert {step["code"] for step in moved["steps"]} >= {"extended", "reason", "moved"}
    assert moved["because"][-1].endswith("to Thu 12 Nov 2026 17:30.")
    assert [read["what"] for read in desk.store.read(export_record, ref)["reads"]].count("due") == 2


@pytest.mark.on_both
async def test_verify_names_the_complaint_of_an_altered_event(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    ref = desk_at(datetime(2026, 11, 3, 10, 0, tzinfo=UTC)).assessed()
    whole = await product.amends("db", "verify", "--json")
    changed = "UPDATE events SET entry = replace(entry, 'supply', 'money') WHERE verb = 'assess'"
    tamper(product.env["AMENDS_DATABASE_URL"], changed)
    broken = await product.amends("db", "verify", "--full", "--json")
    printed = await product.amends("db", "verify")

    assert (whole.code, whole.json["well"], whole.json["first_bad"]) == (0, True, None)
    assert (broken.code, broken.json["well"], broken.json["first_bad"]["ref"]) == (1, False, ref)
    assert ref in printed.out
    no_traceback(broken, printed)


async def test_each_text_gets_a_proposal_on_its_own_line_of_json(product: Product) -> None:
    single = await product.amends("triage", "propose", "The engineer shouted at me and was rude.", "--json")
    lines = "".join(json.dumps({"text": text}) + "\n" for text in ("My bill is wrong.", "Su gelmiyor."))
    many = await product.amends("triage", "propose", stdin=lines)
    wrong = await product.amends("triage", "propose", stdin="not json\n")
    proposals = [json.loads(line) for line in (single.out + many.out).splitlines()]

    assert (single.code, many.code, len(proposals)) == (0, 0, 3)
    wanted = {"category", "probability", "alternatives", "abstained", "severity", "safety", "because"}
    assert [wanted - set(proposal) for proposal in proposals] == [set(), set(), set()]
    assert wrong.code == 2
    no_traceback(single, many, wrong)


async def test_a_model_is_trained_from_assessed_complaints(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    desk_at(datetime(2026, 11, 3, 10, 0, tzinfo=UTC)).assessed()
    done = await product.amends("triage", "train", "--from-record", "--out", "m.skops", "--json")

    assert done.code == 0
    assert (done.json["rows"], done.json["starters"] > 100) == (1, True)
    assert done.json["card"]["data"]["first"] == "2026-11-03"
    no_traceback(done)


@pytest.mark.on_both
async def test_failed_obligations_and_dead_letters_are_listed_and_retried(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    store = desk_at(datetime(2026, 11, 3, 10, 0, tzinfo=UTC)).store
    store.write(keep_dead_letter, "tg:1", b"{}", "unparsed: KeyError")
    inbox = await product.amends("inbox", "list", "--json")
    again = await product.amends("inbox", "retry", str(inbox.json["inbox"][0]["id"]))
    outbox = await product.amends("outbox", "list", "--all", "--json")
    none = await product.amends("outbox", "retry", "999")
    endless = [await product.amends(which, "retry", "9" * 30) for which in ("outbox", "inbox")]

    assert (inbox.code, again.code, again.out) == (0, 0, "")
    assert "inbox" in {row["kind"] for row in outbox.json["outbox"]}
    assert (none.code, none.out) == (1, "")
    assert [(result.code, "so large a number" in result.err) for result in endless] == [(2, True)] * 2
    no_traceback(inbox, again, outbox, none)


async def test_retrying_and_giving_up_report_the_affected_numbers_as_json(
    product: Product, desk_at: Callable[[datetime], Desk]
) -> None:
    store = desk_at(datetime(2026, 11, 3, 10, 0, tzinfo=UTC)).store
    for n in range(3):
        store.write(insert_obligation, NewObligation(f"tidy:{n}", "tidy", store.now()))
        store.write(keep_dead_letter, f"tg:{n}", b"{}", "unparsed: KeyError")
    for obligation in store.write(claim, ["tidy"], 10, 60):
        store.write(fail, obligation.id, "gone")
    failed_ids = [row["id"] for row in store.read(list_failed)]
    dead_letter_ids = [row["id"] for row in store.read(list_dead_letters)]

    given_up = await product.amends("outbox", "give-up", str(failed_ids[0]), "--reason", "test", "--json")
    retried = await product.amends("outbox", "retry", "--all", "--kind", "tidy", "--json")
    both = await product.amends("outbox", "retry", "7", "--all")
    discarded = await product.amends(
        "inbox", "give-up", str(dead_letter_ids[0]), "--reason", "cannot", "--json"
    )
    without_reason = await product.amends("inbox", "give-up", str(dead_letter_ids[1]))
    retried_letters = await product.amends("inbox", "retry", "--all", "--json")
    listed = await product.amends("outbox", "list", "--kind", "inbox", "--all", "--json")

    assert given_up.json == {"given_up": failed_ids[0], "reason": "test"}
    assert retried.json == {"retried": failed_ids[1:]}
    assert (both.code, without_reason.code) == (2, 2)
    assert discarded.json == {"given_up": dead_letter_ids[0], "reason": "cannot"}
    assert retried_letters.json == {"retried": dead_letter_ids[1:]}
    assert len(listed.json["outbox"]) == 2
    no_traceback(given_up, retried, both, discarded, without_reason, retried_letters, listed)


async def test_exit_codes_separate_unknown_references_bad_usage_and_an_unavailable_database(
    product: Product, tmp_path: Path
) -> None:
    empty = {"AMENDS_DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    unknown = await product.amends("case", "show", "A7K-M3Q-9T", "--json")
    page = await product.amends("case", "list", "--after", "nonsense", "--json")
    fresh = await product.amends("case", "list", "--json", env=empty)
    settings = await product.amends("case", "list", "--config", "none.toml")
    option = await product.amends("case", "list", "--limit", "0")
    state = await product.amends("case", "list", "--state", "opne")
    priority = await product.amends("case", "list", "--priority", "P9")
    unavailable = await product.amends(
        "db", "upgrade", env={"AMENDS_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
    )
    nowhere = await product.amends("db", "upgrade", env={"AMENDS_DATABASE_URL": "sqlite:////none/x.db"})
    preset = await product.amends("init", "new", "--preset", "nonsense")

    codes = [result.code for result in (unknown, page, fresh, settings, option, unavailable, nowhere, preset)]
    assert codes == [1, 1, 2, 2, 2, 3, 3, 2]
    assert (state.code, priority.code) == (2, 2)
    assert "amends db upgrade" in fresh.err
    assert [result.out for result in (unknown, page, fresh, settings, unavailable, nowhere, preset)] == [
        ""
    ] * 7
    no_traceback(unknown, page, fresh, settings, option, state, priority, unavailable, nowhere, preset)


async def test_the_files_written_by_init_are_enough_for_a_start(tmp_path: Path) -> None:
    product = Product(tmp_path, learnt=False)
    written = await product.amends(
        "init", "desk", "--name", "Kuzey Su", "--country", "TR", "--languages", "tr"
    )
    config = ("--config", "desk/amends.toml")
    upgraded = await product.amends("db", "upgrade", *config)
    # No server answers at these addresses: the check reports it and continues.
    platforms = {
        "AMENDS_TELEGRAM_TOKEN": "1:t", "AMENDS_SLACK_BOT_TOKEN": "b", "AMENDS_SLACK_APP_TOKEN": "a",
        "AMENDS_TELEGRAM_API_URL": "http://127.0.0.1:1", "AMENDS_SLACK_API_URL": "http://127.0.0.1:1/api/",
    }  # fmt: skip
    checked = await product.amends("check", "--json", *config, env=platforms)
    in_words = await product.amends("check", *config, env=platforms)
    manifest = await product.amends("slack-manifest")

    assert (written.code, upgraded.code, checked.code, manifest.code) == (0, 0, 1, 0)
    assert (tmp_path / "desk" / ".env").stat().st_mode & 0o077 == 0
    assert {finding["mark"] for finding in checked.json["findings"]} == {"ok", "warn", "fail"}
    assert checked.json["well"] is False
    (calendar,) = [finding for finding in checked.json["findings"] if finding["what"] == "calendar"]
    assert re.search(r"\d+ days off, Europe/\w+; next 20\d\d-\d\d-\d\d .+; 20.+; 20", calendar["found"])
    scheme = [
        finding["found"] for finding in checked.json["findings"] if finding["what"] == "scheme small_business"
    ]
    assert scheme == ["reports: half an hour each month", "learning: quarterly"]
    assert len(in_words.out.splitlines()) == len(checked.json["findings"])
    assert {"commands", "chat:write"} <= set(manifest.json["oauth_config"]["scopes"]["bot"])
    no_traceback(written, upgraded, checked, in_words, manifest)
