"""Whether a text is about a danger to people, and about which hazard (5.3).

People in danger seldom name it: "he sits there, grey, and does not answer". The models learn from `triage/danger`.
Safety signs are features of them. They page, and only where the model is sure that there is no danger does a person
look first.

The limits are weights of danger: below `calm` the model with vectors is not asked, from `look` a person is asked,
from `unasked` a hazard that pages without a question does, from `page` every one. Below `doubt` a sign of present
danger only asks. A hazard is clear from the share `clear` on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from complaints.hazards import HAZARD_OF_KIND
from triage.processes.sentence_vectors import Encode, shared_encoder
from triage.reader.features import Values, Window, read_windows
from triage.reader.heads import Heads, Twins, read_twins
from triage.safety.organisation import ORGANISATION
from triage.safety.signs import LIKELY, UNCLEAR, Sign, find_signs

#: Fewer words say too little on their own: "last Tuesday, I think".
_FEWEST_WORDS = 4
#: Where no hazard is clear, so many are offered: the right one is among them for .96 of dangers.
_MOST_HAZARDS = 5
#: A question what to do is about a danger from a weight so much lower: to ask once too often costs less than silence.
_LESS_FOR_A_QUESTION = 0.15
#: So many windows of a text get a vector, those with the most danger by their words: 20 ms each, and Slack waits 3 s.
_MOST_ENCODED = 8


def hazard_shares(weights: Values, sharpness: float) -> Values:
    """How likely each hazard is if there is a danger; for one text, or a row for each text, they add up to 1."""
    raised = np.exp(sharpness * (weights - weights.max(axis=-1, keepdims=True)))
    shares: Values = raised / raised.sum(axis=-1, keepdims=True)
    return shares


@dataclass(frozen=True)
class DangerReader:
    """The models that this machine can use; without `encode`, and while it gives no vectors, words alone answer."""

    models: Twins
    encode: Encode | None

    def weigh(self, windows: Sequence[Window]) -> list[tuple[Values, Heads]]:
        """The weights of each window, and the model that gave them."""
        words, with_vectors = self.models.words, self.models.vectors
        readings = [(words.weigh(window), words) for window in windows]
        by_weight = sorted(range(len(windows)), key=lambda place: readings[place][0][0], reverse=True)
        calm = words.limits["calm"]
        encoded = [place for place in by_weight[:_MOST_ENCODED] if readings[place][0][0] >= calm]
        vectors = self.encode([windows[place].text for place in encoded]) if encoded and self.encode else None
        for place, vector in zip(encoded, vectors, strict=True) if vectors is not None else ():
            readings[place] = with_vectors.weigh(windows[place], vector), with_vectors
        return readings


@cache
def danger_reader() -> DangerReader:
    """The reader of this release: .1 s and 10 MB, with the encoder in this process 1.2 s and 130 MB.

    Raises UnreadableModel where its models were not built, and UnusableEncoder as `shared_encoder` does.
    """
    models = read_twins("danger")
    return DangerReader(models, shared_encoder() if models.uses_encoder else None)


def read_question(question: str, before: str) -> tuple[Sign, ...]:
    """The sign of a question what to do, "shall I switch it off?": only with the words before it is it a danger."""
    text = f"{before}\n\n{question}"
    signs = read_danger(text, find_signs(text), doubt=_LESS_FOR_A_QUESTION)
    return tuple(sign for sign in signs if sign.rule.endswith(LIKELY))


def read_danger(text: str, signs: Sequence[Sign], *, doubt: float = 0) -> tuple[Sign, ...]:
    """The signs found in a text, and those of the models; never raises for a text.

    A sign of present danger that the model doubts becomes a `look`; an organisation's own never does. With `doubt` a
    weight that is so much lower asks.
    """
    reader = danger_reader()
    windows = read_windows(text, signs)
    if not windows:
        return tuple(signs)
    readings = [(*reading, window) for reading, window in zip(reader.weigh(windows), windows, strict=True)]
    # Compared by how far each is above what asks, because the two models have scales of their own.
    weights, model, window = max(readings, key=lambda reading: reading[0][0] - reading[1].limits["look"])
    weight, limits = float(weights[0]), model.limits
    is_doubted = weight < limits["doubt"]
    kept = tuple(
        replace(sign, danger=False, look=True)
        if is_doubted and sign.danger and sign.kind != ORGANISATION
        else sign
        for sign in signs
    )
    is_certain = any(sign.danger for sign in kept)
    if not is_certain and (weight < limits["look"] - doubt or window.words < _FEWEST_WORDS):
        return kept
    pages = is_certain or weight >= limits["page"]
    shares, hazard_names = hazard_shares(weights[1:], limits["sharpness"]), model.names[1:]
    likeliest = hazard_names[int(shares.argmax())]
    named = {HAZARD_OF_KIND[sign.kind].name for sign in kept if sign.danger and sign.kind in HAZARD_OF_KIND}
    kind = likeliest if shares.max() >= limits["clear"] or likeliest in named else UNCLEAR
    if kind != UNCLEAR and HAZARD_OF_KIND[kind].unasked and not (pages or weight >= limits["unasked"]):
        # It would page without a question.
        kind = UNCLEAR
    severity, safety = (5, 3) if pages else (4, 2)
    by_share = (HAZARD_OF_KIND[hazard_names[place]].name for place in np.argsort(-shares))
    hazards = tuple(dict.fromkeys(by_share))[:_MOST_HAZARDS] if kind == UNCLEAR else ()
    return (
        *kept,
        Sign(kind + LIKELY, kind, severity, safety, pages, window.span, look=not pages, hazards=hazards),
    )
