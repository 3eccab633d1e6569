"""Personal data in a letter of staff that the record does not have as the complainant's (4.9)."""

from store.database.damage import collecting_damage
from store.database.transaction import Tx
from store.people.masked_texts import list_case_names
from store.record.load import load_all_texts, load_case_file
from store.redaction.masking import find_spans


def find_others_data(tx: Tx, ref: str, text: str) -> tuple[tuple[int, int, str], ...]:
    """(start, end, kind) of names, phones, e-mails, addresses and numbers, without those of the complaint.

    Those of the complaint are its names, and what is in the complainant's words or was logged with them.
    """
    file = load_case_file(tx, ref)
    with collecting_damage():
        own = [*list_case_names(tx, ref), *(entry.text for entry in load_all_texts(tx, file))]
    own_text = _plain(" ".join(own))
    spans = find_spans(text, language=file.case.language, country=file.case.rules.country)
    return tuple(
        (span.start, span.end, span.kind)
        for span in spans
        if _plain(text[span.start : span.end]) not in own_text
    )


def _plain(text: str) -> str:
    """Letters and digits only: a number is the same with other spaces."""
    return "".join(character for character in text.casefold() if character.isalnum())
