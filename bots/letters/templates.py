"""The fields of letter templates, filled from the record in the complainant's language."""

from bots.letters.letter import Letter
from bots.letters.suggestions import done_remedies
from bots.texts.texts import Texts
from complaints.case import Case
from complaints.letter_templates import FILLED
from complaints.vocabulary import Target


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
        cents = case.amount_requested
        sums = [(None if cents is None else f"{cents / 100:.2f}", case.currency_requested)]
    paid = [(amount, currency) for amount, currency in sums if amount and currency]
    # Of two sums, a letter cannot know which one is meant.
    if len(paid) == 1:
        values["amount"] = texts.amount(letter.language, *paid[0])
    return values
