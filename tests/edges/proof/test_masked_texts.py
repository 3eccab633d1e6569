"""A masked copy of each text serves training and similar cases; no rare word of a complaint reaches a model."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

from sqlalchemy import select, update

from complaints.actors import MODEL
from complaints.vocabulary import Verb
from store.backup import back_up
from store.cases.act import act
from store.custody.erasure import erase
from store.models.models import (
    TrainingRun,
    is_model_intact,
    keep_run,
    read_model_blob,
)
from store.models.training_examples import load_unassessed_page
from store.people.masked_texts import load_masked_story
from store.record.load import load_texts
from store.store import Store
from store.tables import TEXTS
from store.values import Chat
from tests.edges.desk import HANDLER, Desk
from tests.rules.builders import a_proposal
from triage.__main__ import parse_rows
from triage.example import Example
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.shingles import sketch

STORY = "Ben ayse yilmaz, 0532 123 45 67. Ayşe'nin suyu kahverengi."
MASKED = "Ben [name], [phone]. [name]'nin suyu kahverengi."
CHAT = Chat("telegram", "70001", "tr", "Ayşe Yılmaz")
#: Written examples, which are public: without some of them a model of few complaints would know no word.
WRITTEN = [
    Example(f"{what} {where}", category, 2, "en", written=True)
    for category, what in (("supply", "the water is brown"), ("money", "the invoice is wrong"))
    for where in ("today", "again", "since monday", "in our house")
]


def in_turkish(desk: Desk) -> str:
    return desk.receive(STORY, chat=CHAT)


def test_a_text_is_stored_with_a_sealed_copy_without_name_and_phone(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = in_turkish(desk)
    assert usual_store.read(load_masked_story, ref) == MASKED
    assert [text.text for text in usual_store.read(load_texts, ref)] == [STORY]
    row = usual_store.read(lambda tx: tx.connection.execute(select(TEXTS).where(TEXTS.c.ref == ref)).one())
    assert b"suyu" not in row.masked


def test_staff_words_are_masked_too_and_what_the_model_wrote_has_no_copy(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.assessed(text=STORY, chat=CHAT)
    desk.act(ref, Verb.NOTE, HANDLER, words={"text": "Frau Yılmaz called from +49 30 23125123."})
    usual_store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(), {"because": '["suyu"]'})
    query = select(TEXTS.c.field, TEXTS.c.masked).where(TEXTS.c.ref == ref)
    copies = {
        row.field: row.masked for row in usual_store.read(lambda tx: tx.connection.execute(query).all())
    }
    assert copies["because"] is None
    assert copies["text"] is not None


def test_a_text_without_a_readable_copy_is_masked_when_it_is_read(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.assessed(text=STORY, chat=CHAT)
    copies = usual_store.examples()
    for lost in (None, b"altered"):
        usual_store.write(lambda tx, lost=lost: tx.connection.execute(update(TEXTS).values(masked=lost)))
        assert usual_store.read(load_masked_story, ref) == MASKED
        assert usual_store.examples() == copies
    assert [example["text"] for example in copies] == [MASKED]


def test_unassessed_complaints_are_read_masked(store: Store) -> None:
    desk = Desk(store)
    in_turkish(desk)
    ((text, _),) = store.read(load_unassessed_page)[0]
    assert text == MASKED


def test_a_forwarded_message_helps_to_find_similar_cases_but_no_model_learns_it(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = in_turkish(desk)
    desk.complain(ref, Verb.ADD, words={"forwarded": "The pump at the works failed."}, chat=CHAT)
    assert usual_store.read(load_masked_story, ref) == f"{MASKED}\nThe pump at the works failed."
    ((text, _),) = usual_store.read(load_unassessed_page)[0]
    assert text == MASKED


def test_an_erasure_deletes_the_masked_copies(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed(text=STORY, chat=CHAT)
    store.write(erase, ref, "request")
    query = select(TEXTS.c.sealed, TEXTS.c.masked).where(TEXTS.c.ref == ref)
    assert set(store.read(lambda tx: tx.connection.execute(query).all())) == {(None, None)}


def test_the_same_story_with_another_name_and_phone_has_the_same_sketch(usual_store: Store) -> None:
    desk = Desk(usual_store)
    first = in_turkish(desk)
    other = "Ben emine kaya, 0212 555 44 33. Emine'nin suyu kahverengi."
    second = desk.receive(other, chat=Chat("telegram", "70002", "tr", "Emine Kaya"))
    first_sketch, second_sketch = (
        sketch(usual_store.read(load_masked_story, ref)) for ref in (first, second)
    )
    assert first_sketch == second_sketch != ()


def canary_model(store: Store, desk: Desk) -> bytes:
    """A model of complaints that hold a word of five people, of four, and of one person in six complaints."""
    stories = [(f"{number}", "fivepeople") for number in range(5)]
    stories += [(f"{number}", "fourcanary") for number in range(4)]
    stories += [("9", "lonelycanary") for _ in range(6)]
    for chat, word in stories:
        desk.assessed(text=f"the water is brown {word}", chat=desk.chat(f"7000{chat}"))
    desk.receive("the water smells of hushcanary", chat=desk.chat("70020"))
    rows = [row.example for row in parse_rows(store.examples())]
    unassessed = store.read(load_unassessed_page)[0]
    model = train(
        [*WRITTEN, *rows],
        unlabelled=[text for text, _ in unassessed],
        unlabelled_people=[person for _, person in unassessed],
    )
    return dump(model)


def unpacked(artefact: bytes) -> bytes:
    with zipfile.ZipFile(BytesIO(artefact)) as archive:
        return artefact + b"".join(archive.read(name) for name in archive.namelist())


def test_no_word_of_fewer_than_five_people_is_in_artefact_database_or_backup(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path
) -> None:
    artefact = canary_model(sqlite_store, Desk(sqlite_store))
    model = load(artefact)
    assert "fivepeople" in model.features.words
    card = {"version": model.version, **model.facts}
    run = TrainingRun("13:x:y", sqlite_store.now(), 15, True, {"reasons": [], "figures": {}})
    sha256 = hashlib.sha256(artefact).hexdigest()
    number = sqlite_store.write(keep_run, run, artefact, sha256, card, activate=True)
    assert sqlite_store.read(read_model_blob, number) == artefact
    assert sqlite_store.read(is_model_intact, number)
    backup = tmp_path / "backup.db"
    back_up(sqlite_url, backup)
    database = Path(sqlite_url.removeprefix("sqlite:///"))
    files = [
        file for file in (database, *database.parent.glob(f"{database.name}-*"), backup) if file.exists()
    ]
    stored = b"".join(file.read_bytes() for file in files)
    # Pieces of the words too: character n-grams are part of the vocabulary.
    for canary in (b"canary", b"lonel", b"hush", b"fourc"):
        assert canary not in unpacked(artefact)
        assert canary not in stored
    # The artefact itself is sealed.
    assert b"fivepeople" not in stored
    assert artefact[100:160] not in stored
