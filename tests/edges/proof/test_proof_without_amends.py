"""docs/verify.py checks receipts, case files and checkpoints on its own, and refuses what was changed."""

from __future__ import annotations

import json
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
from store.proof.log import add_checkpoint, add_cosignature, add_receipt, prove
from store.proof.notes import Signer, split_note
from store.store import Store
from store.tables import COMPLAINTS
from tests.edges.alterations import course_of
from tests.edges.desk import Desk
from tests.edges.forged_proofs import SEED, draw_forgeries, issued_pairs, log_key

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
        lambda receipt: receipt.update(promise=receipt["promise"][:-1]),
        lambda receipt: receipt.update(promise=receipt["promise"][:-1] + " \n"),
        lambda receipt: receipt.update(promise=receipt["promise"][:-1] + "\r\n"),
        lambda receipt: [receipt.pop(name) for name in [*receipt] if name != "leaf"],
    ],
    ids=["no promise", "no signature", "no end", "blank", "other end", "only the leaf"],
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


def test_no_forgery_of_a_receipt_and_its_case_file_is_accepted(
    usual_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = issued_pairs(usual_store)
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

    assert all(is_accepted(*pair) for pair in pairs)
    assert not any(is_accepted(pairs[n][0], pairs[n ^ 1][1]) for n in range(4))
    seed, forgeries = draw_forgeries(pairs, 200)
    accepted = [change for change, receipt, case in forgeries if is_accepted(receipt, case)]
    capsys.readouterr()
    print(f"{len(forgeries)} forgeries from the seed {seed}")
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
