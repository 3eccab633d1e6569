"""Training in a process of its own: an order on standard input, verdict, card and artefact on standard output.

The order is one line of JSON, `{"languages", "own", "rows", "history", "unlabelled", "in_use", "erased",
"wanted_precision", "alert_budget", "encoder"}`, then the artefact of the model in use, if there is one.
`rows` are the record's, with `ref`, `at` and `whole`; `own` the organisation's examples; `history` what a
promoted model learnt from besides; `unlabelled` what was told in complaints that nobody has assessed; `erased`
whether the model in use may hold words that were erased since. All comes over a pipe so that no complainant's
words lie in a file.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from triage.errors import UnreadableModel
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.learning.holdout import RecordRow
from triage.learning.run import ModelInUse, learn, unlearn
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.model.card import card
from triage.model.embeddings import AUTO, chosen_encoder

ORPHANED = 70
_LOOK_SECONDS = 1.0


def main() -> None:
    """Learn from the order; write one JSON line with the card and the verdict, then the artefact."""
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    head, _, blob = sys.stdin.buffer.read().partition(b"\n")
    order = json.loads(head)
    own = [*starters(order["languages"]), *map(_written, order.get("own", ()))]
    in_use, unread = _in_use(order.get("in_use"), blob)
    rows, history = rows_of(order["rows"]), [_past(one) for one in order.get("history", ())]
    recipe = partial(
        train,
        wanted_precision=order["wanted_precision"],
        alert_rate=order["alert_budget"],
        encoder=chosen_encoder(order.get("encoder", AUTO)),
        unlabelled=order.get("unlabelled", ()),
    )
    budget = order["alert_budget"]
    if order.get("erased") and in_use is not None:
        made, verdict = unlearn(own, rows, history=history, train=recipe, in_use=in_use, alert_budget=budget)
    else:
        made, verdict = learn(own, rows, history=history, train=recipe, in_use=in_use, alert_budget=budget)
    said = verdict.as_json()
    said["reasons"] += unread
    header = json.dumps({"card": card(made), "verdict": said}, ensure_ascii=False)
    sys.stdout.buffer.write(header.encode() + b"\n" + dump(made))


def starters(languages: Sequence[str]) -> list[Example]:
    """The starter examples of these languages; English ones where none of them has any."""
    return starter_examples(languages) or starter_examples(("en",))


def rows_of(said: Sequence[Mapping[str, Any]]) -> list[RecordRow]:
    """The record's examples as the store tells them; only a whole complaint is a case to compare with."""
    return [_row(one) for one in said]


def _row(one: Mapping[str, Any]) -> RecordRow:
    at, whole = datetime.fromisoformat(one["at"]), bool(one.get("whole", True))
    example = Example(
        one["text"],
        one["category"],
        one.get("severity"),
        one.get("language"),
        at,
        ref=one["ref"] if whole else None,
    )
    return RecordRow(example, one["ref"], at, whole)


def _written(one: Mapping[str, Any]) -> Example:
    return Example(one["text"], one["category"], one.get("severity"), one.get("language"), written=True)


def _past(one: Mapping[str, Any]) -> Example:
    """A real complaint, but no case here that could be shown as a like one."""
    return Example(one["text"], one["category"], one.get("severity"), one.get("language"))


def _in_use(said: Mapping[str, Any] | None, blob: bytes) -> tuple[ModelInUse | None, list[str]]:
    if said is None:
        return None, []
    try:
        model = load(blob)
    except UnreadableModel as wrong:
        return None, [f"The model in use cannot be read and was not compared with: {wrong}"]
    until = said.get("until")
    return ModelInUse(model, None if until is None else datetime.fromisoformat(until), bool(said["ours"])), []


def end_with(parent: int) -> None:
    """Whoever ordered this is gone: nobody is left to take the model, so the machine is left in peace."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(ORPHANED)


if __name__ == "__main__":
    main()
