"""After an erasure: a run that always ends with a model in use that holds none of the erased words (8.1).

The model in use is made anew, by the same recipe, from what it had learnt less what was erased: that is what it
would be, had these texts never been there. The candidate, which knows the newer complaints too, is judged
beside it by the same gate as ever. The better is used; to go on with the words is no choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from triage import gate
from triage.example import Example
from triage.gate import Verdict
from triage.holdout import FEWEST, Row, apart, parted
from triage.learning import InUse, Train, learn, to_learn
from triage.pipeline import Model
from triage.training import ALERT_RATE

_ANEW = "Used: the model before, made anew without what was erased."
_CANDIDATE = "Compared with the model before made anew without what was erased; it goes in either case."
_ALONE = (
    "Used unjudged: the model before made anew without what was erased, nothing else was confirmed since."
)


def unlearn(
    own: Sequence[Example],
    rows: Sequence[Row],
    *,
    train: Train,
    in_use: InUse,
    history: Sequence[Example] = (),
    alert_budget: float = ALERT_RATE,
) -> tuple[Model, Verdict]:
    """The model to use from now on and the verdict, which always passes: as `learn`, but `in_use` holds words that
    are in neither `rows` nor `history` any more.

    `learnt_until` of the verdict is set where it is not the candidate. What it cost beside the model before is
    told where there are 30 fixed rows; whoever is erased does not wait for it.
    """
    parts = parted(rows, seen_until=in_use.until)
    seen = [row for row in parts.learnt if in_use.until is not None and row.at <= in_use.until]
    anew = train(to_learn(own, seen, apart(history, parts.fixed)))
    if len(seen) == len(parts.learnt):
        used, verdict = anew, Verdict(True, (_ALONE,))
    else:
        used, verdict = learn(
            own,
            rows,
            train=train,
            history=history,
            in_use=InUse(anew, in_use.until, ours=True),
            alert_budget=alert_budget,
        )
        said = _CANDIDATE if verdict.passes else _ANEW
        until = None if verdict.passes else in_use.until
        used = used if verdict.passes else anew
        verdict = Verdict(True, (*verdict.reasons, said), verdict.figures, learnt_until=until)
    if in_use.ours and len(parts.fixed) >= FEWEST:
        beside = gate.part("beside what was erased", used, in_use.model, [row.example for row in parts.fixed])
        cost = gate.weigh([beside], used, has_active=True, alert_budget=alert_budget)
        figures = {**verdict.figures, **cost.figures}
        verdict = replace(verdict, reasons=(*verdict.reasons, *cost.reasons), figures=figures)
    return used, verdict
