"""Real receipts and case files, and what somebody could make of them before they pass them on."""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
from typing import Any

from complaints.vocabulary import Verb
from store.cases.export import export_record
from store.proof.log import add_checkpoint, add_receipt, log_signer, prove
from store.store import Store
from tests.edges.desk import Desk

SEED = bytes(range(32))
#: A receipt and its case file.
Pair = tuple[dict[str, Any], dict[str, Any]]
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


def log_key(store: Store) -> str:
    """The verifier key of the log."""
    signer = store.read(log_signer, SEED)
    assert signer is not None
    return str(signer.verifier)


def issued_pairs(store: Store) -> list[Pair]:
    """Two complaints, each with a promise and with a proof; those at 2 n and 2 n + 1 belong to different ones."""
    desk = Desk(store)
    refused = desk.resolved()
    desk.add(refused, "It is still brown.")
    desk.complain(refused, Verb.DISAGREE)
    closed = desk.resolved(chat=desk.chat("70002"))
    desk.complain(closed, Verb.ACCEPT, chat=desk.chat("70002"))
    desk.act(closed, Verb.CLOSE, facts={"cause_class": "single"}, words={"root_cause": "An old pipe."})
    refs = (refused, closed)
    promises = [store.write(add_receipt, ref, SEED) for ref in refs]
    store.write(add_checkpoint, SEED)
    proofs = [{**store.read(prove, ref, SEED), "promise": None} for ref in refs]
    cases = [json.loads(json.dumps(store.read(export_record, ref), default=str)) for ref in refs]
    return [(dict(receipts[n]), cases[n]) for receipts in (promises, proofs) for n in (0, 1)]


def draw_forgeries(pairs: list[Pair], usual_count: int) -> tuple[int, list[tuple[str, Any, Any]]]:
    """The seed, and forgeries: what was done, the receipt and the case file.

    `AMENDS_FORGERIES` sets their number, `AMENDS_FORGERIES_SEED` repeats a run.
    """
    seed = int(os.environ.get("AMENDS_FORGERIES_SEED") or random.randrange(2**32))
    rng, forgeries = random.Random(seed), list[tuple[str, Any, Any]]()
    while len(forgeries) < int(os.environ.get("AMENDS_FORGERIES") or usual_count):
        receipt, case = copy.deepcopy(rng.choice(pairs))
        before = provable(receipt, case)
        if rng.random() < 0.25:
            change = "receipt: " + forge(rng, receipt)
        else:
            part = {name: case.pop(name) for name in PROVED}
            change = "case: " + forge(rng, part)
            case |= part
        if provable(receipt, case) != before:
            forgeries.append((change, receipt, case))
    return seed, forgeries
