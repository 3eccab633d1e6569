"""The fields of letter templates, filled from the record in the complainant's language."""

from bots.letters.letter import Letter
from bots.texts.texts import Texts
from complaints.case import Case
from complaints.vocabulary import Target


def template_values(case: Case, texts: Texts) -> dict[str, str]:
    """The fields that this record has, each as the letter writes it."""
    letter = Letter(case, texts, texts.language(case.language))
    values = {
        "reference": case.ref,
        "organisation": letter.organisation,
        "received": letter.event_day(case.received_at),
    }
    if (decide := case.target(Target.DECIDE)) is not None and decide.met_at is None:
        values["answer_by"] = letter.due_day(decide.promised_due)
    if case.amount_requested is not None and case.currency_requested is not None:
        amount = f"{case.amount_requested / 100:.2f}"
        values["amount"] = texts.amount(letter.language, amount, case.currency_requested)
    return values
