"""What a message in the form is: an answer, a question, an addition, thanks, impatience, a correction, a new matter.

Also the score in an answer. Plain rules, the same for all languages; their words are in
`triage/phrases/messages_<language>.toml`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache

from triage.facts.fact import StoryFact
from triage.facts.finder import find_facts
from triage.intent import classify_intent, read_answer, says_only
from triage.matching import LANGUAGES, any_of, fold, read_phrases, whole_words
from triage.search_words import stop_words

#: Characters read: what a message does is said at its beginning.
_LONGEST = 2_000
_WORD = re.compile(r"[^\W_]+")
#: Words before a cue that do not move it from the beginning: "Oh, and one more thing".
_LEAD = re.compile(
    r"(?:(?:and|oh|ok|okay|well|hi|hello|great|ah|und|ach|na|hallo|gut|prima|super|alles klar|ve|ha|tamam|y|oye|hola"
    r"|vale|perfecto|bueno)\b[\s,.!]*){0,3}"
)
#: From thanks to what comes after them: "Thank you dear. "
_END_OF_THANKS = re.compile(r"(?: \w+){0,4}\s?[.,!;]+\s*(?=\S+\s+\S+\s+\S)")
#: A number in a question that doubts an answer: "it says RE-2026-5514, is that it?"
_CODE = re.compile(r"(?<![\w.,])(?=[\w/-]*\d{3})[A-Za-z]{0,5}[-/]?\d[\w/-]{4,}(?![\w.,]*\d)")
#: A longer message has more to say than that it is impatient.
_LONGEST_IMPATIENCE = 25
#: Words next to the thanks that are none of `beside_thanks`: with more, the message says something.
_MOST_BESIDE_THANKS = 1


#: Characters before a fact in which its denial ends.
_DENIED_WITHIN = 24
#: A text with more facts is a list, in which nothing is corrected; each pair of facts is compared.
_MOST_FACTS = 40
#: Characters between a fact and the words that correct it.
_CORRECTED_WITHIN = 60
#: Characters between the words of a correction and its fact: "Entschuldigung, es war der 4.".
_AT_ONCE = 16
_FEWEST_QUESTION_WORDS = 3
#: A question without its mark has so many words at most.
_LONGEST_BARE_QUESTION = 9
_IMPATIENT_MARKS = re.compile(r"\?{3,}|[\U0001f644\U0001f624]")


class MessageKind(StrEnum):
    """What a message in the form does."""

    ANSWER = "answer"
    QUESTION = "question"
    ADDITION = "addition"
    THANKS = "thanks"
    IMPATIENCE = "impatience"
    CORRECTION = "correction"
    NEW_MATTER = "new_matter"


def classify_message(text: str, *, default: MessageKind = MessageKind.ANSWER) -> MessageKind:
    """Classify a message in all languages; `default` where no words decide. Never raises, in linear time."""
    plain = text.strip()[:_LONGEST]
    folded = fold(plain).text
    if _says_thanks(plain, folded):
        return MessageKind.THANKS
    if _cue("new_matter").search(folded):
        return MessageKind.NEW_MATTER
    is_impatient = _cue("impatient").search(folded) or _IMPATIENT_MARKS.search(plain)
    if is_impatient and len(plain.split()) <= _LONGEST_IMPATIENCE:
        return MessageKind.IMPATIENCE
    if _cue("corrects").search(folded):
        return MessageKind.CORRECTION
    # What comes after thanks is no answer to a question of ours: "Thank you. My neighbour saw it as well."
    remainder = _after_thanks(folded)
    if _begins_with("adds", remainder or folded) or _cue("mentions").search(folded):
        return MessageKind.ADDITION
    is_wish = any(_cue(kind).search(folded) for kind in ("requests", "hedges")) or _CODE.search(plain)
    if not is_wish and _asks(plain, folded):
        return MessageKind.QUESTION
    return MessageKind.ADDITION if remainder else default


def question_subjects(text: str) -> tuple[str, ...]:
    """Which of "when", "person" and "cost" a question is about."""
    folded = fold(text).text
    return tuple(name for name in ("when", "person", "cost") if _cue(f"asks_{name}").search(folded))


def outdated_parts(text: str, facts: Sequence[StoryFact]) -> list[StoryFact]:
    """The facts that a text itself denies ("not the 4th") or corrects ("on 12 November. Sorry, 13 November")."""
    if len(facts) > _MOST_FACTS:
        return []
    folded = fold(text)
    corrections = [folded.span(*match.span()) for match in _cue("corrects").finditer(folded.text)]
    denied = {(fact.kind, fact.value) for fact in facts if _is_denied(text, fact, facts)}
    outdated = set(denied)
    for start, end in corrections:
        for fact in facts:
            # "It was the 2nd, not the 3rd": what is denied corrects nothing.
            is_near = start <= fact.span[0] <= end + _DENIED_WITHIN
            if not is_near or (fact.kind, fact.value) in denied:
                continue
            before = [other for other in facts if other.kind == fact.kind and other.span[1] <= start]
            # "Sorry, it was the 4th" in a message of its own means the only day in the messages before it.
            at_once = text[:start].endswith("\n") and fact.span[0] <= end + _AT_ONCE and len(before) == 1
            if before and (at_once or start - before[-1].span[1] <= _CORRECTED_WITHIN):
                outdated |= {(fact.kind, before[-1].value)} - {(fact.kind, fact.value)}
    return [fact for fact in facts if (fact.kind, fact.value) in outdated]


def _is_denied(text: str, fact: StoryFact, facts: Sequence[StoryFact]) -> bool:
    start, end = fact.span
    before = fold(text[max(0, start - _DENIED_WITHIN) : start]).text.rstrip()
    after = fold(text[end : end + _DENIED_WITHIN]).text.lstrip(" ,'’")
    denied = any(match.end() == len(before) for match in _cue("denied_before").finditer(before))
    # "The bill of the 4th is wrong" is a complaint; "the 4th is wrong, it was the 5th" is a correction.
    corrected = any(f.kind == fact.kind and 0 <= f.span[0] - end <= _CORRECTED_WITHIN for f in facts)
    return denied or bool(
        _cue("denied_after").match(after) or (corrected and _cue("wrong_after").match(after))
    )


def without_fillers(text: str) -> str:
    """A typed label without the words around it: "skip, please"."""
    words = [word for word in text.split() if fold(word).text.strip(",.!") not in _words("fillers")]
    return " ".join(words).strip(" ,")


def asks_to_send(text: str) -> bool:
    """True for a message that says only: send it."""
    words = [word for word in _WORD.findall(fold(text).text) if word not in _words("fillers")]
    words = [word for word in words if not says_only("affirms", word)]
    return bool(words) and _words("sends").issuperset(words)


def as_own_wish(text: str) -> str:
    """The text with the wishes of another person as the writer's own: "she needs it repaired"."""
    for language in LANGUAGES:
        table = _table(language)
        text = re.sub(rf"\b(?:{table['other_wishes']})", table["own_wish"], text, flags=re.IGNORECASE)
    return text


def says_place(text: str) -> bool:
    """True for words that say where something was: "behind the church"."""
    return bool(_cue("places").search(fold(text).text))


def says_wish(text: str) -> bool:
    """True for words that ask for something."""
    return bool(_cue("wishes").search(fold(text).text))


def _says_thanks(text: str, folded: str) -> bool:
    if says_only("greetings", text):
        return True
    thanks = _cue("thanks")
    if "?" in text or not thanks.search(folded):
        return False
    words = _WORD.findall(thanks.sub(" ", folded))
    return sum(word not in _words("beside_thanks") for word in words) <= _MOST_BESIDE_THANKS


def _asks(plain: str, folded: str) -> bool:
    if read_answer(plain).only_asks or _is_plain_question(plain) or _cue("asks").search(folded):
        return True
    first, _, rest = plain.partition("?")
    if any(map(str.isdigit, plain)):
        return False
    # "Will I have to come in for this? I don't drive any more."
    begins = _cue("begins_question").match(fold(first).text.lstrip("¿ "))
    is_short = len(plain.split()) <= _LONGEST_BARE_QUESTION or (
        rest and len(first.split()) > _FEWEST_QUESTION_WORDS
    )
    return bool(begins) and bool(is_short)


def _is_plain_question(text: str) -> bool:
    """A question mark after some words is enough in a form; "Order 4711?" is an unsure answer."""
    is_short = len(text.split()) < _FEWEST_QUESTION_WORDS
    return text.endswith(("?", "？", "؟")) and not is_short and not any(map(str.isdigit, text))


def _after_thanks(folded: str) -> str:
    """What follows thanks at the beginning of a message, without the rest of their sentence; "" for others."""
    thanks = _cue("thanks").match(folded, _end_of_lead(folded))
    rest = _END_OF_THANKS.match(folded, thanks.end()) if thanks else None
    return folded[rest.end() :] if rest else ""


def _begins_with(kind: str, folded: str) -> bool:
    return any(_cue(kind).match(folded, start) for start in (0, _end_of_lead(folded)))


def _end_of_lead(folded: str) -> int:
    match = _LEAD.match(folded)
    return match.end() if match else 0


@lru_cache(maxsize=16)
def _cue(kind: str) -> re.Pattern[str]:
    return whole_words("\n".join(str(_table(language)[kind]) for language in LANGUAGES))


@lru_cache(maxsize=4)
def _words(kind: str) -> frozenset[str]:
    return frozenset(word for language in LANGUAGES for word in _table(language)[kind].split())


def _table(language: str) -> Mapping[str, str]:
    return read_phrases("messages", language)


def read_score(text: str) -> int | None:
    """The score that an answer gives; None without one, and where it could be several: "3 or 4"."""
    folded, (numbers, patterns) = fold(text).text, _tables()
    for pattern in patterns:
        scores = {numbers[match[match.lastindex or 0]] for match in pattern.finditer(folded)}
        if scores:
            return scores.pop() if len(scores) == 1 else None
    return None


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, int], tuple[re.Pattern[str], ...]]:
    """The numbers by their words, and where they are a score: alone, with a scale, or where they count nothing."""
    tables = [read_phrases("messages", language) for language in LANGUAGES]
    before, after, counted = (
        any_of("\n".join(table[name] for table in tables))
        for name in ("scale_before", "scale_after", "counted")
    )
    words = {
        word: score
        for table in tables
        for score, words in enumerate(table["scores"], 1)
        for word in (str(score), *words.split())
    }
    # "One" and "bir" are articles, too: they mean the score with its scale, or as a clause at the beginning.
    clear = "|".join(word for word, score in words.items() if score > 1 or word == "1")
    number = rf"(?<![\w:/-])(?<!\d[.,])({clear})(?:'\w*)?(?![\w:/-]|[.,]\d)"
    common = "|".join(frozenset().union(*map(stop_words, LANGUAGES)))
    ends = r"(?:\s[^\W_]+(?<!s))?\s*(?:[^\w\s]|\Z)"
    patterns = (
        rf"(?<![\w/-])(?:({'|'.join(words)})\s{{0,3}}{after}|{before}\s{{1,3}}({clear}))(?!\w)",
        # First in the message, before a common word, or at most one word before the end of its clause. But not in "I
        # rang 3 times", and not in a question: "is 5 the best?"
        rf"(?:\A\W*{number}|{number}(?={ends}|\s(?:{common})(?!\w)))(?!\s{counted}(?!\w))(?![^.!;\n]{{6,400}}\?)",
        rf"\A\W*({'|'.join(words)})\s*(?:[^\w\s'/-](?!\d)|\Z)",
    )
    return words, tuple(map(re.compile, patterns))


def load_phrases() -> None:
    """Compile the phrases of all languages, half a second of work that no message should wait for."""
    for language in LANGUAGES:
        find_facts("Nobody answers.", language=language, received=date.min)
        classify_intent("Nobody answers.", language=language)
    classify_message("Nobody answers.")
