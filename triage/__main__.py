"""The training process: `python -m triage` reads a training order and writes the model with its verdict.

Standard input is one line of JSON, followed by the artefact of the model in use, if there is one. Standard output is
one line of JSON with the card and the verdict, followed by the new artefact. Pipes keep complainants' words out of
files. Keys of the order:

- `rows`: the examples of the record, with `ref`, `at` and `whole`;
- `own`: the organisation's own examples; `languages`: those of the starter examples to add;
- `history`: rows that a promoted model learned from as well;
- `unlabelled`: texts of complaints that have not been assessed, each with its person;
- `in_use`: what the model in use may have seen; `erased`: whether it may contain words that were erased since;
- `wanted_precision`, `alert_budget` and `encoder`: the settings.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from triage.encoder import AUTO, chosen_encoder
from triage.errors import UnreadableModel
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.learning.holdout import RecordRow
from triage.learning.run import ModelInUse, retrain_after_erasure, train_candidate
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.model.model_card import model_card

ORPHANED = 70
"""Exit code when the parent process has ended."""
_POLL_SECONDS = 1.0


def main() -> None:
    """Train on the order; write one JSON line with the card and the verdict, then the artefact."""
    threading.Thread(target=exit_without, args=(os.getppid(),), daemon=True).start()
    header, _, blob = sys.stdin.buffer.read().partition(b"\n")
    order = json.loads(header)
    # The English starter examples where none of the languages has any.
    starters = starter_examples(order["languages"]) or starter_examples(("en",))
    own = [*starters, *(_parse_example(values, written=True) for values in order.get("own", ()))]
    in_use, problems = _load_in_use(order.get("in_use"), blob)
    recipe = partial(
        train,
        wanted_precision=order["wanted_precision"],
        alert_rate=order["alert_budget"],
        encoder=chosen_encoder(order.get("encoder", AUTO)),
        unlabelled=[text for text, _ in order.get("unlabelled", ())],
        unlabelled_people=[person for _, person in order.get("unlabelled", ())],
    )
    rows = parse_rows(order["rows"])
    history = [_parse_example(values) for values in order.get("history", ())]
    run: dict[str, Any] = {"history": history, "train": recipe, "alert_budget": order["alert_budget"]}
    if order.get("erased") and in_use is not None:
        model, verdict = retrain_after_erasure(own, rows, in_use=in_use, **run)
    else:
        model, verdict = train_candidate(own, rows, in_use=in_use, **run)
    verdict_values = verdict.as_json()
    verdict_values["reasons"] += problems
    output = json.dumps({"card": model_card(model), "verdict": verdict_values}, ensure_ascii=False)
    sys.stdout.buffer.write(output.encode() + b"\n" + dump(model))


def parse_rows(values: Sequence[Mapping[str, Any]]) -> list[RecordRow]:
    """The record's examples as the store returns them.

    Only a whole complaint keeps its reference, because only that is a case to compare with.
    """
    return [_parse_row(row) for row in values]


def exit_without(parent: int) -> None:
    """End this process when its parent has: no process is left to take the model, and training uses a whole core."""
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(ORPHANED)


def _parse_row(values: Mapping[str, Any]) -> RecordRow:
    at, whole = datetime.fromisoformat(values["at"]), bool(values.get("whole", True))
    example = _parse_example(
        values, at=at, ref=values["ref"] if whole else None, person=values.get("person") or values["ref"]
    )
    return RecordRow(example, values["ref"], at, whole)


def _parse_example(values: Mapping[str, Any], **more: Any) -> Example:
    """An example; without a `ref` in `more` it cannot be shown as a similar case."""
    return Example(values["text"], values["category"], values.get("severity"), values.get("language"), **more)


def _load_in_use(values: Mapping[str, Any] | None, blob: bytes) -> tuple[ModelInUse | None, list[str]]:
    """The model in use, or None with the reason where it cannot be read."""
    if values is None:
        return None, []
    try:
        model = load(blob)
    except UnreadableModel as error:
        return None, [f"The model in use cannot be read, so the candidate was not compared with it: {error}"]
    until = values.get("until")
    learned_until = None if until is None else datetime.fromisoformat(until)
    return ModelInUse(model, learned_until, bool(values["ours"])), []


if __name__ == "__main__":
    main()
