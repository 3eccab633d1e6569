"""What a message does: it answers, adds, asks, thanks, disagrees, is about another matter ...

The models learn from `triage/acts`. They weigh the words, the moment of the complaint in which the message comes,
and, with the encoder, the meaning of the message and of what the bot wrote before it.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from triage.processes.sentence_vectors import Encode, shared_encoder
from triage.reader.danger import hazard_shares
from triage.reader.features import Values, Window, place_of, read_windows
from triage.reader.heads import Heads, Twins, read_twins

#: The moments of a complaint in which a message comes: before it, to a question of the form, to the read-back, after
#: the filing, after the decision, and in the survey.
STATES = ("first", "question", "read_back", "after", "decision", "survey")
ACTS = (
    "complaint", "new_matter", "answer", "addition", "correction", "ask_status", "ask_fact", "ask_procedure", "wish",
    "accepts", "disagrees", "withdraws", "score", "thanks", "praise", "suggestion", "impatience", "about_handling",
    "abuse", "language", "declines", "confirms", "nothing",
)  # fmt: skip
#: What the bot wrote weighs less than the message.
_BEFORE_VALUE = 0.5
#: The share of all questions together from which a message asks: .8 of them do, and .07 of the others.
_ASKS_FROM = 0.4


@dataclass(frozen=True, slots=True)
class Act:
    """The likeliest act of a message with its share from 0 to 1, and the next one.

    `is_sure`: of messages with such a share nine of ten do this. `asks`: it is so likely a question that a person
    must answer it. `is_other`: it is so likely about another matter that the person may be asked.
    """

    kind: str
    share: float
    second: str
    is_sure: bool
    asks: bool
    is_other: bool


_NOTHING = Act("nothing", 1.0, "nothing", is_sure=True, asks=False, is_other=False)


def read_act(text: str, state: str, before: str = "") -> Act:
    """What a message does in a `state` of `STATES`; `before` is what the bot wrote last, if that is known.

    Only the first 60 words count. Where words alone are sure, the encoder is not asked; otherwise once.
    """
    act, window, encode = read_act_by_words(text, state), act_window(text, state), _encode()
    if act.is_sure or window is None or encode is None:
        return act
    vectors = encode([window.text, before])
    return act if vectors is None else _act(act_models().vectors, window, act_vector(*vectors))


def read_act_by_words(text: str, state: str, before: str = "") -> Act:
    """What a message does by its words alone: .3 ms, and the same on each machine; `before` is not read."""
    window = act_window(text, state)
    return _NOTHING if window is None else _act(act_models().words, window)


def act_window(text: str, state: str) -> Window | None:
    """The beginning of a message with its moment as a feature; None without words."""
    windows = read_windows(text, ())
    return replace(windows[0], sign_places=np.array([place_of(f"state {state}")])) if windows else None


def act_vector(text: Values, before: Values) -> Values:
    """The vector of a message, and that of what was written before it, as the models weigh them."""
    return np.concatenate([text, _BEFORE_VALUE * before])


def _act(heads: Heads, window: Window, vector: Values | None = None) -> Act:
    weights = heads.weigh(window, vector)
    shares = hazard_shares(weights, heads.limits["sharpness"])
    first, second = np.argsort(-shares)[:2]
    return Act(
        heads.names[first],
        float(shares[first]),
        heads.names[second],
        is_sure=bool(shares[first] >= heads.limits["clear"]),
        asks=bool(shares[[name.startswith("ask_") for name in heads.names]].sum() >= _ASKS_FROM),
        is_other=bool(heads.names[first] == "new_matter" and weights[first] >= heads.limits["other"]),
    )


@cache
def act_models() -> Twins:
    """Raises UnreadableModel where they were not built."""
    return read_twins("act")


@cache
def _encode() -> Encode | None:
    return shared_encoder() if act_models().uses_encoder else None
