"""docs/verify.py checks receipts, case files and checkpoints on its own, and refuses what was changed."""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from amends.documents.case_file.case_file import exact_record
from complaints.actions.registry import ACTIONS, MESSAGE_VERBS
from complaints.actors import SYSTEM, complainant
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import export_case, export_record
from store.proof.log import add_checkpoint, add_cosignature, add_receipt, log_signer, prove
from store.proof.notes import Signer, split_note
from store.store import Store
from store.tables import COMPLAINTS
from tests.edges.alterations import course_of
from tests.edges.desk import Desk

SEED = bytes(range(32))
WITNESS = Signer("witness.example", bytes(range(1, 33)), is_witness=True)
SCRIPT = Path(__file__).parents[3] / "docs" / "verify.py"


def run(folder: Path, content: str, *keys: str, receipt: Mapping[str, Any] | None = None) -> tuple[int, str]:
    """Exit code and output of the script for one file, and a receipt with it."""
    files = [folder / "file"]
    files[0].write_text(content, encoding="utf-8")
    if receipt is not None:
        files.append(folder / "receipt")
        files[1].write_text(json.dumps(receipt), encoding="utf-8")
    options = [part for key in keys for part in ("--key", key)]
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *map(str, files), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def log_key(store: Store) -> str:
    """The verifier key of the log."""
    signer = store.read(log_signer, SEED)
    assert signer is not None
    return str(signer.verifier)


def test_the_script_is_short_enough_to_read() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 400


def test_a_receipt_is_a_promise_first_and_a_proof_after_the_next_checkpoint(
    store: Store, tmp_path: Path
) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    promise = store.write(add_receipt, ref, SEED)
    key = log_key(store)
    code, text = run(tmp_path, json.dumps(promise), key)
    assert (code, "A promise" in text) == (0, True)
    desk.act(ref, Verb.NOTE, words={"text": "Something happened after it."})
    saved, _ = store.write(add_checkpoint, SEED)
    assert saved is not None
    body = split_note(saved.note)[0]
    store.write(add_cosignature, saved.size, WITNESS.name, WITNESS.cosign(body, 1_800_000_000))
    proved = store.read(prove, ref, SEED)
    assert json.loads(proved["leaf"]) == json.loads(promise["leaf"])
    code, text = run(tmp_path, json.dumps(proved), key, str(WITNESS.verifier))
    assert (code, "Entry" in text, "signed by witness.example\n" in text) == (0, True, True)
    assert run(tmp_path, proved["checkpoint"], key)[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: receipt.update(leaf=receipt["leaf"].replace('"seq":', '"seq":1')),
        lambda receipt: receipt.update(proof="AAAA" + receipt["proof"][4:]),
        lambda receipt: receipt.update(index=receipt["index"] + 1),
        lambda receipt: receipt.update(checkpoint=receipt["checkpoint"].replace("amends/", "amend/", 1)),
    ],
    ids=["leaf", "path", "index", "checkpoint"],
)
def test_a_changed_receipt_is_refused(
    usual_store: Store, tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    ref = Desk(usual_store).assessed()
    usual_store.write(add_receipt, ref, SEED)
    usual_store.write(add_checkpoint, SEED)
    receipt = usual_store.read(prove, ref, SEED) | {"promise": None}
    change(receipt)
    code, text = run(tmp_path, json.dumps(receipt), log_key(usual_store))
    assert (code, "NOT proved" in text) == (1, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: receipt.update(promise=None),
        lambda receipt: receipt.update(promise=receipt["promise"].rpartition("\n\n")[0] + "\n\n"),
        lambda receipt: [receipt.pop(name) for name in [*receipt] if name != "leaf"],
    ],
    ids=["no promise", "no signature", "only the leaf"],
)
def test_a_receipt_without_a_signature_is_refused(
    usual_store: Store, tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    receipt = usual_store.write(add_receipt, Desk(usual_store).assessed(), SEED)
    key = log_key(usual_store)
    assert run(tmp_path, json.dumps(receipt), key)[0] == 0
    # Without a key nothing is trusted, and another desk's key proves nothing.
    assert run(tmp_path, json.dumps(receipt))[0] == 1
    assert run(tmp_path, json.dumps(receipt), str(WITNESS.verifier))[0] == 1
    change(receipt)
    code, text = run(tmp_path, json.dumps(receipt), key)
    assert (code, "NOT proved" in text) == (1, True)


#: What somebody did to a case file before they passed it on, and a part of the answer.
FORGERIES: tuple[tuple[Callable[[Any], Any], str], ...] = (
    (lambda record: record["texts"][0].update(text="Something else."), "the words of event 1"),
    (lambda record: record["texts"].pop(0), "the words of event 1"),
    (lambda record: record["texts"].clear(), "the words of event 1"),
    (lambda record: record["texts"].append(record["texts"][0] | {"seq": 2}), "the words of event 2"),
    (lambda record: record["texts"].append(record["texts"][0] | {"seq": 99}), "without an event"),
    (lambda record: record.update(commitment_key=None), "the words of event 1"),
    (lambda record: record.update(description="Nothing was wrong."), "the description"),
    (lambda record: record["decisions"].clear(), "the decision of event 3 is missing"),
    (lambda record: record["decisions"][0].update(by="U9"), "the decision of event 3 is shown otherwise"),
    (lambda record: record["decisions"][0]["words"].update(done="Nothing."), "the decision of event 3"),
    (lambda record: record["decisions"][0]["findings"][0].update(finding="not_upheld"), "the decision of"),
    (lambda record: record.update(state="received"), "do not lead to the state 'received'"),
    (lambda record: record.pop("state"), "NOT proved"),
    (lambda record: record["events"].pop(), "words without an event"),
    (lambda record: [record["events"].pop(), record["texts"].pop()], "do not lead to the state 'closed'"),
    (lambda record: record["events"][2].update(at="2020-01-01T00:00:00Z"), "event 3 is shown otherwise"),
    (
        lambda record: record["events"].__setitem__(
            2, {"seq": 3, "hash": record["events"][2]["hash"], "withheld": True}
        ),
        "event 3 is withheld",
    ),
)


def test_a_case_file_is_proved_with_a_receipt_of_its_last_event_and_refused_after_each_forgery(
    usual_store: Store, tmp_path: Path
) -> None:
    desk = Desk(usual_store)
    ref = desk.resolved()
    older = usual_store.write(add_receipt, ref, SEED)
    desk.complain(ref, Verb.ACCEPT)
    desk.act(ref, Verb.CLOSE, facts={"cause_class": "single"}, words={"root_cause": "An old pipe."})
    receipt, key = usual_store.write(add_receipt, ref, SEED), log_key(usual_store)
    whole = json.dumps(usual_store.read(export_record, ref), default=str)
    code, text = run(tmp_path, whole, key, receipt=receipt)
    assert (code, json.loads(receipt["leaf"])["events"] in text) == (0, True)
    other = usual_store.write(add_receipt, desk.assessed(chat=desk.chat("70002")), SEED)
    for wrong, answer in (
        (None, "is not signed"),
        (older, "event 6 and what follows"),
        (other, "is not signed"),
    ):
        code, text = run(tmp_path, whole, key, receipt=wrong)
        assert (code, answer in text) == (1, True), text
    for change, answer in FORGERIES:
        record = json.loads(whole)
        change(record)
        code, text = run(tmp_path, json.dumps(record), key, receipt=receipt)
        assert (code, answer in text) == (1, True), (answer, text)
    # The end is cut off, with all that refers to it: only the receipt knows better.
    record = json.loads(whole)
    del record["events"][5:]
    record |= {"state": "decided", "texts": [text for text in record["texts"] if text["seq"] < 6]}
    code, text = run(tmp_path, json.dumps(record), key, receipt=receipt)
    assert (code, "its last events are missing" in text) == (1, True)


SOME_VALUES = (None, True, False, 0, 1, 1.5, -1, "", "x", [], [1], {}, {"x": 1}, "2020-01-01T00:00:00Z", "U9")


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """Each object or list in this JSON value with each of its names or positions."""
    if not isinstance(value, dict | list):
        return []
    names = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [
        *((value, name) for name in names),
        *(place for name in names for place in places_in(value[name])),
    ]


def forge(rng: random.Random, document: dict[str, Any]) -> str:
    """Change one place of the document: remove, replace, add, repeat or exchange. Returns what was done."""
    holder, name = rng.choice(places_in(document))
    kind = rng.choice(("remove", "replace", "add", "repeat", "exchange", "character"))
    if kind == "remove":
        del holder[name]
    elif kind == "add" and isinstance(holder, dict):
        holder["added"] = rng.choice(SOME_VALUES)
    elif kind == "repeat" and isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(rng.choice(holder)))
    elif kind == "exchange" and len(holder) > 1:
        other = rng.choice(list(holder) if isinstance(holder, dict) else list(range(len(holder))))
        holder[name], holder[other] = holder[other], holder[name]
    elif kind == "character" and isinstance(holder[name], str) and holder[name]:
        n = rng.randrange(len(holder[name]))
        holder[name] = holder[name][:n] + rng.choice(("", "A", "1", " ", "\n", "é")) + holder[name][n + 1 :]
    else:
        holder[name] = rng.choice(SOME_VALUES)
    return f"{kind} {name!r}"


def provable(receipt: Any, case: Any) -> str:
    """Both documents as text, without what no event records.

    That is: further fields of the file, the clauses of events, and the order of the texts of one event.
    """
    case = {name: copy.deepcopy(case[name]) for name in PROVED if name in case}
    if isinstance(case.get("events"), list):
        for event in case["events"]:
            if isinstance(event, dict) and "clause" in event:
                event["clause"] = None
    if isinstance(case.get("texts"), list):
        groups = itertools.groupby(
            case["texts"], key=lambda text: text.get("seq") if isinstance(text, dict) else text
        )
        case["texts"] = [sorted(group, key=json.dumps) for _, group in groups]
    return json.dumps([receipt, case], sort_keys=True)


#: What the script proves of a case file. Its answer names the fields that it does not check.
PROVED = ("ref", "state", "description", "texts", "decisions", "events", "commitment_key")


def test_no_forgery_of_a_receipt_and_its_case_file_is_accepted(
    usual_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(usual_store)
    refused = desk.resolved()
    desk.add(refused, "It is still brown.")
    desk.complain(refused, Verb.DISAGREE)
    closed = desk.resolved(chat=desk.chat("70002"))
    desk.complain(closed, Verb.ACCEPT, chat=desk.chat("70002"))
    desk.act(closed, Verb.CLOSE, facts={"cause_class": "single"}, words={"root_cause": "An old pipe."})
    promises = [usual_store.write(add_receipt, ref, SEED) for ref in (refused, closed)]
    usual_store.write(add_checkpoint, SEED)
    proofs = [usual_store.read(prove, ref, SEED) | {"promise": None} for ref in (refused, closed)]
    cases = [usual_store.read(export_record, ref) for ref in (refused, closed)]
    pairs = [(receipts[n], cases[n]) for receipts in (promises, proofs) for n in (0, 1)]
    main, key = runpy.run_path(str(SCRIPT))["main"], log_key(usual_store)

    answers: list[str] = []

    def is_accepted(receipt: Any, case: Any) -> bool:
        for name, document in (("receipt", receipt), ("case", case)):
            (tmp_path / name).write_text(json.dumps(document, default=str), encoding="utf-8")
        try:
            main([str(tmp_path / "receipt"), str(tmp_path / "case"), "--key", key])
        except SystemExit as end:
            answers.append(str(end.code))
            return False
        return True

    seed = int(os.environ.get("AMENDS_FORGERIES_SEED") or random.randrange(2**32))
    rng, accepted, count = random.Random(seed), [], 0
    assert all(is_accepted(*pair) for pair in pairs)
    assert not any(is_accepted(pairs[n][0], pairs[n ^ 1][1]) for n in range(4))
    while count < int(os.environ.get("AMENDS_FORGERIES") or 200):
        receipt, case = json.loads(json.dumps(rng.choice(pairs), default=str))
        before = provable(receipt, case)
        if rng.random() < 0.25:
            change = "receipt: " + forge(rng, receipt)
        else:
            part = {name: case.pop(name) for name in PROVED}
            change = "case: " + forge(rng, part)
            case |= part
        if provable(receipt, case) == before:
            continue
        count += 1
        if is_accepted(receipt, case):
            accepted.append(change)
    capsys.readouterr()
    print(f"{count} forgeries from the seed {seed}")
    assert accepted == []
    assert all("NOT proved" in answer for answer in answers)


def test_a_name_that_occurs_twice_is_refused(usual_store: Store, tmp_path: Path) -> None:
    ref = Desk(usual_store).assessed()
    receipt, key = usual_store.write(add_receipt, ref, SEED), log_key(usual_store)
    whole = json.dumps(usual_store.read(export_record, ref), default=str)
    assert run(tmp_path, whole, key, receipt=receipt)[0] == 0
    code, text = run(tmp_path, '{"state": "closed", ' + whole[1:], key, receipt=receipt)
    assert (code, "a name occurs twice" in text) == (1, True)


def test_the_answer_says_what_is_not_proved(usual_store: Store, tmp_path: Path) -> None:
    ref = Desk(usual_store).assessed()
    receipt, key = usual_store.write(add_receipt, ref, SEED), log_key(usual_store)
    whole = json.dumps(usual_store.read(export_record, ref), default=str)
    code, text = run(tmp_path, json.dumps(receipt), key)
    assert (code, "Not proved by a receipt alone: what happened" in text) == (0, True)
    code, text = run(tmp_path, whole, key)
    assert (code, "is not signed" in text) == (1, True)
    code, text = run(tmp_path, whole, key, receipt=receipt)
    assert (code, "Proved: after these events it is in the state 'assessed'" in text) == (0, True)
    assert "Not checked" in text
    assert "severity" in text


def test_the_script_knows_the_messages_of_complainants() -> None:
    assert {verb.value for verb in MESSAGE_VERBS} == {*runpy.run_path(str(SCRIPT))["MESSAGES"]}


def test_the_script_knows_the_moves_of_every_act() -> None:
    script = runpy.run_path(str(SCRIPT))
    changing = set()
    for verb, action in ACTIONS.items():
        for source, ways in action.moves.ways.items():
            assert set(script["states_after"](source.value, verb.value)) == {way.value for way in ways}, verb
            changing |= {verb.value} if {*ways} != {source} else set()
    assert changing == script["MOVES"].keys()


def test_random_records_are_accepted(sqlite_url: str, tmp_path: Path) -> None:
    store = course_of(sqlite_url, random.Random(5), 60).store
    refs = store.read(lambda tx: list(tx.connection.execute(select(COMPLAINTS.c.ref)).scalars()))
    for ref in refs:
        receipt = store.write(add_receipt, ref, SEED)
        record = json.dumps(store.read(export_record, ref), default=str)
        code, text = run(tmp_path, record, log_key(store), receipt=receipt)
        assert code == 0, text


def test_a_case_file_without_the_answers_to_the_survey_still_verifies(
    usual_store: Store, tmp_path: Path
) -> None:
    desk = Desk(usual_store)
    ref = desk.closed()
    by = complainant(desk.case(ref).complainant)
    receipt, key = usual_store.write(add_receipt, ref, SEED), log_key(usual_store)
    usual_store.write(act, ref, Verb.SURVEY, SYSTEM, {"step": "sent"})
    usual_store.write(act, ref, Verb.SURVEY, by, {"step": "answered", "question": "q2", "score": 1})
    # The answers at the end are left out, and no receipt needs to cover the survey.
    record = json.loads(exact_record(usual_store.read(export_case, ref)))
    assert run(tmp_path, json.dumps(record), key, receipt=receipt)[0] == 0
    desk.act(ref, Verb.NOTE, words={"text": "Something after it."})
    record = json.loads(exact_record(usual_store.read(export_case, ref)))
    receipt = usual_store.write(add_receipt, ref, SEED)
    assert run(tmp_path, json.dumps(record), key, receipt=receipt)[0] == 0
    assert [sorted(event) for event in record["events"] if "verb" not in event] == [
        ["hash", "seq", "withheld"]
    ]
    record["events"] = [event for event in record["events"] if "verb" in event]
    assert run(tmp_path, json.dumps(record), key, receipt=receipt)[0] == 1


def test_a_proof_is_small(usual_store: Store) -> None:
    # 20 hashes of 32 bytes lead to the root of a million entries.
    ref = Desk(usual_store).assessed()
    usual_store.write(add_receipt, ref, SEED)
    usual_store.write(add_checkpoint, SEED)
    proof = usual_store.read(prove, ref, SEED)
    assert len(json.dumps(proof)) - len(proof["proof"]) + 20 * 32 * 4 // 3 <= 2048
