"""Words that the record already has for a letter: the form starts with them, and a person sends or changes them.

They are the news and what was done, and the fields of letter templates, in the complainant's language.
"""

from collections.abc import Mapping

from bots.letters.letter import Letter
from bots.letters.progress_letters import done_and_left
from bots.texts.texts import Texts, capitalised
from complaints.case import Case
from complaints.case_values import RemedyOwed
from complaints.forms import FORMS
from complaints.letter_texts import FILLED
from complaints.vocabulary import REMEDY_ASKED_FOR, Flag, Remedy, Target


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
    return money[0], _amount_requested(case)


def _amount_requested(case: Case) -> str | None:
    cents = case.amount_requested
    return None if cents is None else f"{cents / 100:.2f}"


def template_values(form: str, case: Case, texts: Texts) -> dict[str, str]:
    """The fields that this record has, each as the letter writes it.

    In a field that says what was done the amount is what was paid, otherwise what was asked for.
    """
    letter = Letter(case, texts, texts.language(case.language))
    values = {
        "reference": case.ref,
        "organisation": letter.organisation,
        "received": letter.event_day(case.received_at),
    }
    if (decide := case.target(Target.DECIDE)) is not None and decide.met_at is None:
        values["answer_by"] = letter.due_day(decide.promised_due)
    if FILLED[form] == "done":
        sums = [(remedy.amount, remedy.currency) for remedy in done_remedies(case)]
    else:
        sums = [(_amount_requested(case), case.currency_requested)]
    paid = [(amount, currency) for amount, currency in sums if amount and currency]
    # Of two sums, a letter cannot know which one is meant.
    if len(paid) == 1:
        values["amount"] = texts.amount(letter.language, *paid[0])
    return values
