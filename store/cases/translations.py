"""The translations of the complainant's words, and which words are still to be translated."""

from collections.abc import Mapping

from sqlalchemy import select

from complaints.actions.intake import TRANSLATION
from store.database.transaction import Tx
from store.outbox.complete import GIVEN_UP
from store.people.contacts import load_chat
from store.record.load import CaseFile, load_case_file, load_words_by_event
from store.tables import OBLIGATIONS
from store.values import Obligation, WordsToTranslate


def load_words_to_translate(tx: Tx, obligation: Obligation) -> WordsToTranslate:
    """The words that an obligation of kind `translate` is about; none once erased."""
    file, seq = load_case_file(tx, str(obligation.ref)), int(obligation.facts["event"])
    case = file.case
    return WordsToTranslate(
        case.ref,
        seq,
        load_words_by_event(tx, file).get(seq, {}),
        case.written_language,
        None if case.merged_into is not None else load_chat(tx, file.contact_id),
    )


def load_translations(tx: Tx, file: CaseFile) -> Mapping[tuple[str, int, str], str | None]:
    """The translations by reference, event and field of the original; None where the translator gave none."""
    ref = file.case.ref
    query = select(OBLIGATIONS.c.facts).where(
        OBLIGATIONS.c.scope == ref,
        OBLIGATIONS.c.kind == "translate",
        OBLIGATIONS.c.state.in_(("failed", GIVEN_UP)),
    )
    failed = [int(row.facts["event"]) for row in tx.connection.execute(query)]
    translated = [event for event in file.events if event.facts.get("kind") == TRANSLATION]
    if not failed and not translated:
        # Most desks have no translator: the words are not opened once more.
        return {}
    words = load_words_by_event(tx, file)
    translations: dict[tuple[str, int, str], str | None] = {
        (ref, seq, field): None for seq in failed for field in words.get(seq, ())
    }
    for event in translated:
        for field, text in words.get(event.seq, {}).items():
            original = field.removeprefix(f"{TRANSLATION}.")
            translations[ref, int(event.facts["translates"]), original] = text
    return translations
