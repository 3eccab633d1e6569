"""The questions after the story, as data: in this order, each at most once, most only on a cue
(docs/domain.md, section 6, B).

An answer that plain rules find in the story is read back or shown for confirmation, and not asked again.
A new row in QUESTIONS is a new question: asked, answered by button or words, read back and recorded as facts.
It needs the texts `ask.<step>` and `readback.<step>`, and its buttons.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from bots.dialogue.buttons import AGAIN, AGE, HELP, IDENTITY, NEEDS, RELATION, REMEDIES, SKIP, WHOM, Rows
from complaints.actions.intake import CHILD_WRITING
from triage.facts.amounts import is_taken
from triage.facts.fact import StoryFact
from triage.facts.references import is_iban
from triage.facts.wishes import hints_at_wish
from triage.matching import fold

#: Kinds of number that identify what a story is about. A payment card's number does not.
_NUMBERS = frozenset(
    {"order", "account", "customer", "invoice", "meter", "booking", "policy", "contract", "reference"}
)
#: With more details than this, ask the question: so many cannot be confirmed by one Yes.
_MAX_CONFIRMED_DETAILS = 6
_MAX_SPOTS = 2
#: Wishes in own words that are read back.
_MOST_OWN = 3
#: A day longer ago is one of birth, or no day at all.
_OLDEST_YEARS = 20
_FOR_ONESELF = re.compile(
    r"\s*(?:it(?:'s| is) )?(?:for )?(?:me|myself|my own|mine|us|kendim|kendim için|benim|bizim)\b.{0,12}",
    re.IGNORECASE,
)
#: Each has a cue of its own, in `triage/signs`.
_RELATIONS = ("guardian", "carer", "parent", "relative", "someone_else")
#: The code of a wish for which there is no other: its words are the wish.
OWN_WORDS = "something_else"
#: A wish in own words that is clear next to others too, as `triage.facts` names it: a correction, an instalment.
_OWN = "own"
#: The remedies that are about a sum of money.
MONEY = ("money_back", "compensation")
_AGES = ("under_13", "from_13", "from_16")
#: The words in which a bare wish such as "repair and 180 pounds back" is a wish to the rules of each language.
_AS_WISH = "I want {text}\nIch möchte {text}\nQuiero {text}\n{text} istiyorum"
#: A Turkish ending of an amount ("4.500 TL'nin", "350 liranın"), which does not fit where the amount is read back.
_ENDING = re.compile(
    r"['’]\w+$|(?<=lira)(?!s$)\w+$|(?<=euro|avro)(?!s$)\w+$|(?<=dolar|erlin)\w+$", re.IGNORECASE
)
#: A number in a correction, without a word that says what it is.
_BARE_NUMBER = re.compile(r"(?<![\w.,/-])[A-Za-z]{0,4}-?\d{3,12}(?:-\w{1,8})?(?![\w/]|[.,]\d)")
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n")
#: Between two amounts that are wanted together ("the £120 deposit and the £40 fee"); an alternative is none.
_NO_SUM = r"\b(?:or|oder|o|veya|ya da|back|zurück|geri|vuelta|paid|charged)\b"
_PART = re.compile(r"\b(?:difference|half|part|differenz|halfte|teil|diferencia|mitad|parte|fark|yari)")
_AND = re.compile(
    rf"(?:(?!{_NO_SUM})[^,;]){{0,40}}\b(?:and|plus|und|sowie|y|ve)(?: \w{{1,10}})? ", re.IGNORECASE
)


@dataclass(frozen=True)
class StoryKnowledge:
    """What the choice of the next question depends on.

    `cues`: by kind, the words of the story that are the cue. `rules`: the safety rules that matched. `details` finds
    dates, numbers and wishes; called only when needed.
    `received`: the local day of receipt. `chosen`: the choices made so far, by step. `wishes`: the story as if the
    person affected wrote it, and its details. `language`: that of the story.
    """

    story: str
    cues: Mapping[str, str]
    rules: frozenset[str]
    received: date
    details: Callable[[], tuple[StoryFact, ...]]
    chosen: Mapping[str, str] = field(default_factory=dict)
    wishes: tuple[str, Callable[[], tuple[StoryFact, ...]]] | None = None
    language: str | None = None


@dataclass(frozen=True)
class StoryAnswer:
    """An answer found in the story: choices under the question, the story's own `words`, or both.

    `amounts` are the money that a choice is about: as written, in minor units, and its currency. `missing` is the
    half that an answer to "where and when?" lacks: "place" or "day"; "wish" where the story hints at a wish
    that no rule reads: the read-back then asks for it, in place of a question.
    """

    choices: tuple[str, ...] = ()
    words: str = ""
    amounts: Mapping[str, tuple[str, int, str]] = field(default_factory=dict)
    missing: str = ""


Condition = Callable[[StoryKnowledge], bool]
FindAnswer = Callable[[StoryKnowledge], StoryAnswer | None]
Facts = Mapping[str, Any]


def _no_answer(knowledge: StoryKnowledge) -> None:
    return None


@dataclass(frozen=True)
class Question:
    """One question; `field` holds its words.

    `asks`: whether it is asked at all. `implied_answer`: an answer that the story has clearly given; it is not asked.
    With `sets_flag` that answer is recorded at once, because staff must act on it even without Send; with
    `signed` it is recorded as an answer when the person presses Send under it.
    `choice_facts` and `word_facts` give the facts of an answer by button or in words. Sensitive answers have
    no facts: their words are sealed, and only a flag shows that there are some.
    """

    step: str
    field: str
    buttons: Rows
    asks: Condition
    implied_answer: FindAnswer = _no_answer
    sets_flag: bool = False
    signed: bool = False
    choice_facts: Callable[[str], Facts] | None = None
    word_facts: Callable[[str], Facts] | None = None

    @property
    def choices(self) -> frozenset[str]:
        """The choices under the question, without Skip, which every question has."""
        return frozenset(choice for row in self.buttons for choice in row) - {"skip"}

    def facts(self, choice: str) -> Facts:
        return {self.field: choice} if self.choice_facts is None else self.choice_facts(choice)

    def facts_of_story(self, answer: StoryAnswer) -> Facts:
        facts = dict(self.facts(answer.choices[0])) if answer.choices else {}
        if self.step == "help":
            facts |= _all_remedies(answer)
        return facts

    def facts_of_words(self, text: str) -> Facts:
        return {} if self.word_facts is None else self.word_facts(text)


# --- what plain rules find in the story


def where_and_when(details: Sequence[StoryFact], received: date) -> StoryAnswer | None:
    """The days up to receipt and the places or numbers in the story; None where it has neither, or too many.

    One of both is enough: the read-back names what is missing, and a message there adds it.
    """
    # "Since the 4th" says more than "today".
    dates = [detail for detail in details if detail.kind == "date" and detail.value != received.isoformat()]
    # "This year" says nothing more than "on 4 November".
    days = [
        day
        for day in _past_days(details, received)
        if any(map(str.isdigit, day.text)) or not any(_contains(day, other) for other in dates)
    ]
    # "Every evening" says when, where no day does.
    days = days or [detail for detail in details if detail.kind == "habit"][:1]
    places = _places(details)
    texts: dict[str, str] = {}
    for detail in sorted([*places, *days], key=lambda detail: detail.span):
        # The point of "am 20." is part of the day.
        text = " ".join(detail.text.split())
        is_day_number = detail.kind == "date" and text.rstrip(".")[-1:].isdigit()
        texts.setdefault(detail.value, text if is_day_number else text.rstrip("."))
    if not texts or len(texts) > _MAX_CONFIRMED_DETAILS:
        return None
    missing = "" if days and places else "place" if days else "day"
    return StoryAnswer(words=", ".join(texts.values()), missing=missing)


def _places(details: Sequence[StoryFact]) -> list[StoryFact]:
    """What identifies the matter; a spot ("at the bus stop") only where there is nothing more exact."""
    places = [detail for detail in details if identifies_place(detail)]
    return [place for place in places if place.kind != "spot"] or places[:_MAX_SPOTS]


def _past_days(details: Sequence[StoryFact], received: date) -> list[StoryFact]:
    earliest = str(received.year - _OLDEST_YEARS)
    return [
        fact
        for fact in details
        if fact.kind == "date" and earliest <= fact.value[:10] <= received.isoformat()
    ]


def _contains(period: StoryFact, other: StoryFact) -> bool:
    first, _, last = period.value.partition("/")
    other_first, _, other_last = other.value.partition("/")
    return other.value != period.value and first <= other_first and (other_last or other_first) <= last


def identifies_place(detail: StoryFact) -> bool:
    """True for a number, a branch, or a street with a house number; a street alone is too vague."""
    if detail.kind == "place":
        return any(character.isdigit() for character in detail.value)
    # An IBAN says where to pay money, not what the complaint is about.
    return detail.kind in ("branch", "spot") or (detail.kind in _NUMBERS and not is_iban(detail.value))


def correct_place_and_day(
    old: Sequence[StoryFact], new: Sequence[StoryFact], denied: Sequence[StoryFact], text: str
) -> StoryAnswer | None:
    """The answer to "where and when?" after a correction; None where it corrects none of it.

    A new day replaces the denied one, or all; a new number or place replaces those of its kind. A bare number in a
    correction ("sorry, 4712") replaces the number.
    """
    days = [fact for fact in new if fact.kind == "date"]
    places = [fact for fact in new if identifies_place(fact)]
    code = None if days or places else _BARE_NUMBER.search(text)
    if not days and not places and not code:
        return None
    refused = {fact.value for fact in denied}
    kinds = {fact.kind for fact in places} | (
        _NUMBERS if code or _NUMBERS & {p.kind for p in places} else set()
    )
    replaces_one = any(fact.value in refused for fact in old if fact.kind == "date")
    kept = [
        fact.text
        for fact in old
        if fact.value not in refused
        and not (fact.kind in kinds or (fact.kind == "date" and days and not replaces_one))
    ]
    texts = [*kept, *(fact.text for fact in (*places, *days)), *([code.group()] if code else [])]
    return StoryAnswer(words=", ".join(dict.fromkeys(" ".join(t.split()).rstrip(".") for t in texts)))


def requested_remedies(story: str, details: Sequence[StoryFact]) -> StoryAnswer | None:
    """All remedies that a story asks for, with the amount of money that it wants back."""
    wishes = [detail for detail in details if detail.kind == "remedy"]
    own = ", ".join(dict.fromkeys(" ".join(wish.text.split()) for wish in wishes if wish.value == _OWN))
    choices = list(dict.fromkeys(wish.value for wish in wishes if wish.value in REMEDIES))
    for choice in ("tell_you", OWN_WORDS):
        # "Just letting you know" is polite where the story also asks for something.
        if choice in choices and len(choices) > 1:
            choices.remove(choice)
    if choices in ([], [OWN_WORDS]):
        words = own or ", ".join(dict.fromkeys(" ".join(wish.text.split()) for wish in wishes[:_MOST_OWN]))
        return StoryAnswer(words=words) if words else None
    amounts = {choice: _requested_amount(choice, story, details) for choice in MONEY}
    return StoryAnswer(tuple(choices), own, {choice: amount for choice, amount in amounts.items() if amount})


def _requested_amount(choice: str, story: str, details: Sequence[StoryFact]) -> tuple[str, int, str] | None:
    """The money that a story wants with this remedy; None where several amounts could be meant.

    An amount within the wish, or after its beginning, counts before others in the same sentence: "I
    paid £240 and want £60 back". Amounts joined by "and" are added. Of two wishes for money, the one in front of
    an amount or around it has it.
    """
    written = [detail for detail in details if detail.kind == "amount"]
    wanted = [detail for detail in details if detail.value in MONEY]
    pairs = [
        (amount, wish)
        for amount in written
        for wish in _nearest(amount, [wish for wish in wanted if _is_same_sentence(story, amount, wish)])
        if wish.value == choice
    ]
    refunds = [wish for wish in wanted if choice == wish.value == "money_back"]
    is_all = refunds and not any(_PART.search(fold(wish.text).text) for wish in refunds)
    if is_all and not pairs and len(written) == 1 and is_taken(story, *written[0].span):
        # "You took £27.50 on Monday. I want it back."
        pairs = [(written[0], written[0])]
    after = [amount for amount, wish in pairs if amount.span[0] >= wish.span[0]]
    amounts = list({amount.value: amount for amount in after or [amount for amount, _ in pairs]}.values())
    texts = [_ENDING.sub("", " ".join(amount.text.split())) for amount in amounts]
    gaps = [story[first.span[1] : second.span[0]] for first, second in pairwise(amounts)]
    currencies = {amount.value.split()[1] for amount in amounts}
    if len(currencies) != 1 or not all(map(_AND.fullmatch, gaps)):
        return None
    total = sum(Decimal(amount.value.split()[0]) for amount in amounts)
    return " + ".join(texts), int(total * 100), currencies.pop()


def _nearest(amount: StoryFact, wishes: Sequence[StoryFact]) -> list[StoryFact]:
    """All the wishes of one kind; of several kinds the last one that begins before the end of the amount."""
    if len({wish.value for wish in wishes}) < 2:
        return list(wishes)
    before = [wish for wish in wishes if wish.span[0] < amount.span[1]]
    return before[-1:] or list(wishes[:1])


def _is_same_sentence(story: str, first: StoryFact, second: StoryFact) -> bool:
    between = story[min(first.span[1], second.span[1]) : max(first.span[0], second.span[0])]
    return not _SENTENCE_END.search(between)


def _all_remedies(answer: StoryAnswer) -> Facts:
    codes = [*answer.choices, *([OWN_WORDS] if answer.choices and answer.words else [])]
    facts: dict[str, Any] = {"remedies_requested": list(dict.fromkeys(codes))} if len(codes) > 1 else {}
    currencies = {currency for _, _, currency in answer.amounts.values()}
    if len(currencies) == 1:
        total = sum(cents for _, cents, _ in answer.amounts.values())
        facts |= {"amount_requested": total, "currency_requested": currencies.pop()}
    return facts


def remedies_in_words(text: str, find: Callable[[str], tuple[StoryFact, ...]]) -> StoryAnswer | None:
    """The remedies in a typed answer to "what would put this right?", where no verb need say "I want"."""
    wish = _AS_WISH.format(text=text)
    answer = requested_remedies(wish, find(wish))
    return answer if answer is not None and answer.choices else None


def is_only_question(
    step: str, text: str, find: Callable[[str], tuple[StoryFact, ...]], *, only_asks: bool
) -> bool:
    """True when a message that asks something does not also answer our question ("Is it order 4711?")."""
    if step == "where":
        return only_asks and not any(identifies_place(detail) for detail in find(text))
    return only_asks and not (step == "help" and remedies_in_words(text, find))


def relation(cues: Mapping[str, str]) -> StoryAnswer | None:
    """How the writer is related to the person affected, if the story clearly names one relation."""
    relations = [name for name in _RELATIONS if f"relation_{name}" in cues]
    # A guardian or carer stays one, even if the story also says "my son".
    is_clear = len(relations) == 1 or relations[:1] in (["guardian"], ["carer"])
    return StoryAnswer((relations[0],)) if is_clear else None


def _age(knowledge: StoryKnowledge) -> StoryAnswer | None:
    ages = [age for age in _AGES if f"age_{age}" in knowledge.cues]
    return StoryAnswer((ages[0],)) if len(ages) == 1 else None


def _requested(knowledge: StoryKnowledge) -> StoryAnswer | None:
    answer = requested_remedies(knowledge.story, knowledge.details())
    if knowledge.wishes is not None and (answer is None or not answer.choices):
        story, details = knowledge.wishes
        other = requested_remedies(story, details())
        # Its own words would be ours: only the codes count.
        answer = other if other is not None and other.choices else answer
    if answer is None and knowledge.language and hints_at_wish(knowledge.story, knowledge.language):
        return StoryAnswer(missing="wish")
    return answer


def _if_cue(answer: StoryAnswer, *kinds: str) -> FindAnswer:
    return lambda knowledge: answer if any(kind in knowledge.cues for kind in kinds) else None


def _support(knowledge: StoryKnowledge) -> StoryAnswer | None:
    words = knowledge.cues.get("support_told")
    return StoryAnswer(words=words) if words else None


def is_for_oneself(text: str) -> bool:
    """True when a typed answer to "who is affected?" clearly says: for me."""
    return bool(_FOR_ONESELF.fullmatch(text.strip()))


# --- conditions and facts of the questions


def _has_cue(kind: str) -> Condition:
    return lambda knowledge: kind in knowledge.cues


def _is_for_someone_else(knowledge: StoryKnowledge) -> bool:
    return knowledge.chosen.get("whom") in ("agreed", "cannot_decide", "do_not_know")


def _asks_whom(knowledge: StoryKnowledge) -> bool:
    """A parent writes for a small child without asking it."""
    is_of_small_child = "small_child" in knowledge.cues and relation(knowledge.cues) == StoryAnswer(
        ("parent",)
    )
    return "for_another" in knowledge.cues and not is_of_small_child


def _lacks_effect(knowledge: StoryKnowledge) -> bool:
    return "effect" in knowledge.cues and "effect_told" not in knowledge.cues


def _asks_identity(knowledge: StoryKnowledge) -> bool:
    """ "Do not call me", from a deaf person, is no wish to stay anonymous."""
    return "anonymous" in knowledge.cues and "support_told" not in knowledge.cues


def _whom_facts(text: str) -> Facts:
    """Until staff know that the person affected agreed, they must not disclose anything to the writer."""
    return {"for_whom": "for_me" if is_for_oneself(text) else "do_not_know"}


def _age_band_facts(choice: str) -> Facts:
    """The band is sealed; the record needs only whether the writer is a child."""
    return {"minor": choice != "adult"}


def _age_facts(text: str) -> Facts:
    number = re.search(r"\b\d{1,3}\b", text)
    return {"minor": int(number.group()) < 18} if number else {}


def _identity_facts(text: str) -> Facts:
    """A person who answers in words has a reservation about the use of their name."""
    return {"anonymity": "pseudonym"}


QUESTIONS: tuple[Question, ...] = (
    Question(
        "age",
        "age_band",
        AGE,
        lambda knowledge: CHILD_WRITING in knowledge.rules,
        implied_answer=_age,
        sets_flag=True,
        choice_facts=_age_band_facts,
        word_facts=_age_facts,
    ),
    Question(
        "whom",
        "for_whom",
        WHOM,
        _asks_whom,
        implied_answer=_if_cue(StoryAnswer(("agreed",)), "agreed_told"),
        sets_flag=True,
        word_facts=_whom_facts,
    ),
    Question(
        "relation",
        "relation",
        RELATION,
        _is_for_someone_else,
        implied_answer=lambda knowledge: relation(knowledge.cues),
    ),
    Question("effect", "effect", SKIP, _lacks_effect),
    Question(
        "again",
        "recurrent",
        AGAIN,
        # Who assesses the complaint reads in the story whether it happened before: no tap for that.
        lambda knowledge: False,
        implied_answer=_if_cue(StoryAnswer(("yes",)), "again_told", "happened_before"),
    ),
    Question(
        "needs",
        "support_needs",
        NEEDS,
        lambda knowledge: "support" in knowledge.cues or "support_told" in knowledge.cues,
        implied_answer=_support,
        sets_flag=True,
        choice_facts=lambda choice: {},
    ),
    Question("identity", "anonymity", IDENTITY, _asks_identity, word_facts=_identity_facts),
    Question(
        "where",
        "where_and_when",
        SKIP,
        lambda knowledge: True,
        implied_answer=lambda knowledge: where_and_when(knowledge.details(), knowledge.received),
        signed=True,
    ),
    Question(
        "help",
        "remedy_requested",
        HELP,
        lambda knowledge: True,
        implied_answer=_requested,
        signed=True,
    ),
)
BY_STEP: Mapping[str, Question] = {question.step: question for question in QUESTIONS}
#: The questions whose answer from the story is recorded with Send.
SIGNED: frozenset[str] = frozenset(question.step for question in QUESTIONS if question.signed)
ORDER: tuple[str, ...] = tuple(BY_STEP)


def step_of(choice: str, current_step: str) -> str | None:
    """The question that a choice answers. A choice of several questions (Yes, No) answers the current one."""
    if current_step in BY_STEP and choice in BY_STEP[current_step].choices:
        return current_step
    steps = [question.step for question in QUESTIONS if choice in question.choices]
    return steps[0] if len(steps) == 1 and choice not in ("yes", "no") else None
