"""Words that the record already has for a letter: the form starts with them, and a person sends or changes them."""

from collections.abc import Mapping

from bots.letters.letter import Letter
from bots.letters.progress import done_and_left
from bots.texts.texts import Texts, capitalised
from complaints.case import Case
from complaints.case_values import RemedyOwed
from complaints.forms import FORMS
from complaints.vocabulary import REMEDY_ASKED_FOR, Flag, Remedy


def suggested_words(form: str, case: Case, *, texts: Texts) -> Mapping[str, str]:
    """The first words of a form's fields, in the complainant's language: the news, or the remedies that were done."""
    letter = Letter(case, texts.to(child=Flag.MINOR in case.flags), texts.language(case.language))
    if "news_so_far" in FORMS[form].starts:
        return {
            part: f"{capitalised(words, letter.language)}." for part, words in done_and_left(letter).items()
        }
    if "remedies_done" in FORMS[form].starts:
        return {"done": "\n".join(letter.recorded_remedy(remedy, {}) for remedy in done_remedies(case))}
    return {}


def done_remedies(case: Case) -> list[RemedyOwed]:
    """The remedies that were carried out, each with a name: what was asked for or promised is not done yet."""
    return [remedy for remedy in case.remedies if remedy.done_at is not None and remedy.type != Remedy.OTHER]


def sum_asked_for(case: Case) -> tuple[Remedy | None, str | None]:
    """The remedy of money that was asked for, and its amount; none of two, for the record has one amount."""
    remedies = [REMEDY_ASKED_FOR.get(code) for code in case.remedies_requested]
    money = [remedy for remedy in remedies if remedy in (Remedy.REFUND, Remedy.COMPENSATION)]
    if len(money) != 1:
        return None, None
    cents = case.amount_requested
    return money[0], None if cents is None else f"{cents / 100:.2f}"
