"""Words that the record already has for a letter: the form starts with them, and a person sends or changes them."""

from collections.abc import Mapping

from bots.letters.letter import Letter
from bots.letters.progress import done_and_left
from bots.texts.texts import Texts, capitalised
from complaints.case import Case
from complaints.vocabulary import REMEDY_ASKED_FOR, Flag, Remedy


def suggested_words(form: str, case: Case, *, texts: Texts) -> Mapping[str, str]:
    """The first words of a form's fields, in the complainant's language: the news, or what was asked for."""
    letter = Letter(case, texts.to(child=Flag.MINOR in case.flags), texts.language(case.language))
    if form == "inform":
        return {
            part: f"{capitalised(words, letter.language)}." for part, words in done_and_left(letter).items()
        }
    if form == "resolve":
        asked_for = [REMEDY_ASKED_FOR[code] for code in case.remedies_requested if code in REMEDY_ASKED_FOR]
        return {"done": "\n".join(_remedy(letter, remedy) for remedy in asked_for)}
    return {}


def _remedy(letter: Letter, remedy: Remedy) -> str:
    money, amount = sum_asked_for(letter.case)
    is_it = remedy is money and amount is not None
    return letter.remedy(remedy, "", amount, letter.case.currency_requested if is_it else None)


def sum_asked_for(case: Case) -> tuple[Remedy | None, str | None]:
    """The remedy of money that was asked for, and its amount; none of two, for the record has one amount."""
    remedies = [REMEDY_ASKED_FOR.get(code) for code in case.remedies_requested]
    money = [remedy for remedy in remedies if remedy in (Remedy.REFUND, Remedy.COMPENSATION)]
    if len(money) != 1:
        return None, None
    cents = case.amount_requested
    return money[0], None if cents is None else f"{cents / 100:.2f}"
