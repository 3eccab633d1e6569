"""docs/verify.py checks receipts, case files and checkpoints on its own, and refuses what was changed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amends.documents.case_file.case_file import exact_record
from complaints.actors import SYSTEM, complainant
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import export_case, export_record
from store.proof.log import add_checkpoint, add_cosignature, add_receipt, log_signer, prove
from store.proof.notes import Signer, split_note
from store.store import Store
from tests.edges.desk import Desk

SEED = bytes(range(32))
WITNESS = Signer("witness.example", bytes(range(1, 33)), is_witness=True)
SCRIPT = Path(__file__).parents[2] / "docs" / "verify.py"


def run(folder: Path, content: str, *keys: str) -> tuple[int, str]:
    """Exit code and output of the script for one file."""
    file = folder / "file"
    file.write_text(content, encoding="utf-8")
    options = [part for key in keys for part in ("--key", key)]
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file), *options], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def log_key(store: Store) -> str:
    """The verifier key of the log."""
    signer = store.read(log_signer, SEED)
    assert signer is not None
    return str(signer.verifier)


def test_the_script_is_short_enough_to_read() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 150


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


def test_a_case_file_is_checked_with_its_words_and_leads_to_the_receipt(
    usual_store: Store, tmp_path: Path
) -> None:
    ref = Desk(usual_store).closed()
    receipt = usual_store.write(add_receipt, ref, SEED)
    record = usual_store.read(export_record, ref)
    code, text = run(tmp_path, json.dumps(record, default=str))
    assert (code, json.loads(receipt["leaf"])["events"] in text) == (0, True)
    record["texts"][0]["text"] += "!"
    code, text = run(tmp_path, json.dumps(record, default=str))
    assert (code, "the words of event" in text) == (1, True)


def test_a_case_file_without_the_answers_to_the_survey_still_verifies(
    usual_store: Store, tmp_path: Path
) -> None:
    desk = Desk(usual_store)
    ref = desk.closed()
    by = complainant(desk.case(ref).complainant)
    usual_store.write(act, ref, Verb.SURVEY, SYSTEM, {"step": "sent"})
    usual_store.write(act, ref, Verb.SURVEY, by, {"step": "answered", "question": "q2", "score": 1})
    desk.act(ref, Verb.NOTE, words={"text": "Something after it."})
    record = json.loads(exact_record(usual_store.read(export_case, ref)))
    assert run(tmp_path, json.dumps(record))[0] == 0
    assert [sorted(event) for event in record["events"] if "verb" not in event] == [
        ["hash", "seq", "withheld"]
    ]
    record["events"] = [event for event in record["events"] if "verb" in event]
    assert run(tmp_path, json.dumps(record))[0] == 1


def test_a_proof_is_small(usual_store: Store) -> None:
    # 20 hashes of 32 bytes lead to the root of a million entries.
    ref = Desk(usual_store).assessed()
    usual_store.write(add_receipt, ref, SEED)
    usual_store.write(add_checkpoint, SEED)
    proof = usual_store.read(prove, ref, SEED)
    assert len(json.dumps(proof)) - len(proof["proof"]) + 20 * 32 * 4 // 3 <= 2048
